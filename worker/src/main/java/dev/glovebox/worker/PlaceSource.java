package dev.glovebox.worker;

import dev.glovebox.sandbox.Sandbox;
import dev.glovebox.sandbox.SandboxState;
import dev.glovebox.sandbox.pool.PoolConfig;
import dev.glovebox.sandbox.pool.WarmPool;
import dev.glovebox.worker.operator.CallLog;
import dev.glovebox.worker.operator.SandboxView;
import dev.glovebox.worker.session.Hands;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicLong;

/// Gives each session hands in a place of its own, in a sandbox that waited for it if there is one.
final class PlaceSource implements HandsSource {
    private static final int NAME_LENGTH = 48;

    private final PlaceConfig config;
    private final Place.Rooms rooms;
    private final WarmPool<WarmDoor> warm;
    private final AtomicLong number = new AtomicLong();

    private PlaceSource(PlaceConfig config, Place.Rooms rooms, WarmPool<WarmDoor> warm) {
        this.config = config;
        this.rooms = rooms;
        this.warm = warm;
    }

    /// Begins to make sandboxes ready.
    static PlaceSource open(PlaceConfig config, Place.Rooms rooms) {
        PoolConfig pool =
                new PoolConfig(
                        config.template(),
                        config.limits(),
                        config.warm().size(),
                        1,
                        config.warm().maxAge());
        WarmPool<WarmDoor> warm =
                WarmPool.open(
                        rooms.sandboxes(),
                        pool,
                        name -> WarmDoor.open(rooms.doors(), name, config.template()));
        rooms.roster()
                .waiting(() -> warm.waiting().stream().map(one -> view(one, config)).toList());
        return new PlaceSource(config, rooms, warm);
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
        return PlacedHands.open(
                sessionId,
                () ->
                        Place.open(
                                sessionId,
                                name(sessionId, number.incrementAndGet()),
                                config,
                                rooms,
                                warm,
                                log),
                log);
    }

    @Override
    public void release() {
        warm.close();
    }

    /// A session may come back while its last sandbox is still being taken down, so each is
    /// numbered.
    private static String name(String sessionId, long number) {
        String plain = sessionId.replaceAll("[^A-Za-z0-9_-]", "_");
        return plain.substring(0, Math.min(NAME_LENGTH, plain.length())) + "-" + number;
    }
}
