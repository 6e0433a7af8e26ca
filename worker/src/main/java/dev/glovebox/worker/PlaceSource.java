package dev.glovebox.worker;

import dev.glovebox.sandbox.Binding;
import dev.glovebox.sandbox.Sandbox;
import dev.glovebox.sandbox.SandboxState;
import dev.glovebox.sandbox.pool.PoolConfig;
import dev.glovebox.sandbox.pool.WarmPool;
import dev.glovebox.worker.operator.CallLog;
import dev.glovebox.worker.operator.SandboxView;
import dev.glovebox.worker.policy.LivePolicies;
import dev.glovebox.worker.policy.SessionPolicy;
import dev.glovebox.worker.session.Hands;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// Gives each session hands in a place of its own, in a sandbox that waited for it if there is one.
final class PlaceSource implements HandsSource {
    private static final int NAME_LENGTH = 48;

    private final PlaceConfig config;
    private final Place.Rooms rooms;
    private final PreparedTemplate template;
    private final LivePolicies policies;
    private final AtomicLong number = new AtomicLong();

    // Guarded by this.
    private @Nullable WarmPool<WarmDoor> warm;
    private boolean released;

    private PlaceSource(PlaceConfig config, Place.Rooms rooms, LivePolicies policies) {
        this.config = config;
        this.rooms = rooms;
        this.policies = policies;
        this.template = new PreparedTemplate(config, rooms, policies::standard, this::makeReady);
    }

    /// Begins to prepare the template, and then to make sandboxes ready.
    ///
    /// @param policies what sessions may reach; stays open longer than this
    static PlaceSource open(PlaceConfig config, Place.Rooms rooms, LivePolicies policies) {
        PlaceSource source = new PlaceSource(config, rooms, policies);
        source.template.begin();
        rooms.roster().waiting(source::waiting);
        return source;
    }

    private synchronized void makeReady() {
        if (warm != null || released) {
            return;
        }
        PoolConfig pool =
                new PoolConfig(
                        config.template(),
                        config.limits(),
                        config.warm().size(),
                        config.warm().starts(),
                        config.warm().maxAge());
        warm =
                WarmPool.open(
                        rooms.sandboxes(),
                        pool,
                        name -> WarmDoor.open(rooms.doors(), name, config));
    }

    private synchronized Optional<WarmPool<WarmDoor>> warm() {
        return Optional.ofNullable(warm);
    }

    /// A sandbox that waited for the session; else empty, once one can be started.
    private Optional<WarmPool.Claimed<WarmDoor>> claim(Binding binding) {
        Optional<WarmPool.Claimed<WarmDoor>> claimed = warm().flatMap(pool -> pool.claim(binding));
        if (claimed.isEmpty()) {
            template.await();
        }
        return claimed;
    }

    private List<SandboxView> waiting() {
        return warm().stream()
                .flatMap(pool -> pool.waiting().stream())
                .map(one -> view(one, config))
                .toList();
    }

    private static SandboxView view(Sandbox sandbox, PlaceConfig config) {
        Instant since =
                sandbox.state() instanceof SandboxState.Ready(Instant attested)
                        ? attested
                        : Instant.now();
        return SandboxView.warm(sandbox, since, config.template(), config.limits());
    }

    @Override
    public Hands open(String sessionId) {
        CallLog log = new CallLog();
        SessionPolicy policy = policies.session(sessionId);
        return PlacedHands.open(
                sessionId,
                () ->
                        Place.open(
                                sessionId,
                                name(sessionId, number.incrementAndGet()),
                                config,
                                rooms,
                                this::claim,
                                policy,
                                log),
                policy,
                log);
    }

    @Override
    public void release() {
        Optional<WarmPool<WarmDoor>> pool;
        synchronized (this) {
            released = true;
            pool = warm();
        }
        template.close();
        pool.ifPresent(WarmPool::close);
    }

    /// A session may come back while its last sandbox is still being taken down, so each is
    /// numbered.
    private static String name(String sessionId, long number) {
        String plain = sessionId.replaceAll("[^A-Za-z0-9_-]", "_");
        return plain.substring(0, Math.min(NAME_LENGTH, plain.length())) + "-" + number;
    }
}
