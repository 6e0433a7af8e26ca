package dev.glovebox.egress;

import dev.glovebox.egress.credential.CredentialStore;
import dev.glovebox.egress.onward.Onward;
import dev.glovebox.egress.tls.DoorTrust;
import dev.glovebox.egress.tls.TrustedRoots;
import dev.glovebox.egress.wire.LastingEpoll;
import dev.glovebox.linux.LinuxException;
import dev.glovebox.linux.net.NetworkNamespace;
import dev.glovebox.protocol.egress.EgressPolicy;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/// All doors of one worker: they share two event loops, a way out, and a directory of pinned
/// namespaces. Thread-safe.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
public final class Doors implements AutoCloseable {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,99}");
    private static final int LOOPS = 2;

    private final EgressConfig config;
    private final PinDirectory pins;
    private final TrustedRoots roots;
    private final EventLoopGroup loops;
    private final CredentialStore store = new CredentialStore();
    private final Onward onward;
    private final Map<String, Door> doors = new ConcurrentHashMap<>();

    private Doors(EgressConfig config, PinDirectory pins, TrustedRoots roots) {
        this.config = config;
        this.pins = pins;
        this.roots = roots;
        this.loops =
                new MultiThreadIoEventLoopGroup(
                        LOOPS, new DefaultThreadFactory("egress", true), LastingEpoll.newFactory());
        this.onward =
                Onward.open(
                        config.onward(),
                        config.resolver(),
                        loops,
                        store,
                        roots,
                        config.limits().connect());
    }

    /// Takes over the directory: no other process uses it from now on, and pins that an earlier
    /// life left are removed.
    ///
    /// @throws EgressException if the directory is in use or cannot be made, this host cannot do
    ///   epoll, or there are no authorities to verify servers by
    public static Doors open(EgressConfig config) {
        TrustedRoots roots = config.roots().map(TrustedRoots::in).orElseGet(TrustedRoots::system);
        return new Doors(config, PinDirectory.open(config.directory()), roots);
    }

    /// Opens a door with a policy: a namespace that is ready to be joined.
    ///
    /// @param name unique among the open doors: letters, digits, `.`, `_`, `-`, at most 100
    /// @param policy what may be reached; [EgressPolicy#DENY_ALL] for nothing
    /// @throws EgressException if the name is taken or not one, a credential cannot be read, or
    ///   this host refuses a step; nothing is left behind then
    public Door open(String name, EgressPolicy policy) {
        if (!NAME.matcher(name).matches()) {
            throw new EgressException("door name \"" + name + "\" is not letters, digits, . _ -");
        }
        Terms terms = Terms.none(store).with(policy);
        DoorTrust trust = DoorTrust.create(name, pins.trust(name), roots);
        NetworkNamespace namespace;
        try {
            namespace = NetworkNamespace.create(pins.pin(name));
        } catch (LinuxException e) {
            trust.close();
            throw new EgressException("door \"" + name + "\" cannot be opened", e);
        }
        Ledger ledger =
                new Ledger(name, config.audit(), config.limits().connect(), InstantSource.system());
        Door door =
                new Door(
                        name,
                        terms,
                        config,
                        namespace,
                        onward.dialler(),
                        trust,
                        ledger,
                        () -> doors.remove(name));
        doors.put(name, door);
        try {
            door.listen(loops);
            return door;
        } catch (RuntimeException e) {
            door.close();
            throw e;
        }
    }

    /// Whether doors could judge by the policy now.
    ///
    /// @throws EgressException if a credential of it that is at hand cannot be read
    public void check(EgressPolicy policy) {
        Terms.none(store).with(policy);
    }

    /// Closes every door and releases the directory. Idempotent.
    @Override
    public void close() {
        List.copyOf(doors.values()).forEach(Door::close);
        onward.close();
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2_000);
        store.close();
        roots.close();
        pins.close();
    }
}
