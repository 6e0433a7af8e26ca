package dev.glovebox.sandbox.pool;

import dev.glovebox.sandbox.Binding;
import dev.glovebox.sandbox.Sandbox;
import dev.glovebox.sandbox.SandboxException;
import dev.glovebox.sandbox.SandboxSpec;
import dev.glovebox.sandbox.SandboxState;
import dev.glovebox.sandbox.Sandboxes;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;

/// Sandboxes of one template that were started and attested before anybody asked for them.
///
/// A member has a network namespace from which nothing can be reached, no directory of any session,
/// and has never run a process. A claim takes it out of the pool for good and binds it to its
/// session ([Sandbox#bind]); it never comes back, so no session ever sees what another left.
///
/// ```
/// keeper thread             start threads              claim, on the caller's thread
/// waits until something     network, createUnbound     takes the oldest that lives
/// is to be started or       -> ready, or a failure     binds it -> the session's
/// ended                        and a pause             none: empty, and the caller starts one
/// ```
///
/// One virtual thread, the keeper, starts what is missing and ends what is too old. It begins only
/// [#SETTLE] after the last claim, so that starts do not take the processor from the sessions that
/// were just opened. After a failure it waits, 1 s at first and twice as long after each, up to a
/// minute, and says so once until a start succeeds.
///
/// @param <N> what the owner gives a member as its network, and gets back with it
public final class WarmPool<N extends Network> implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(WarmPool.class.getName());
    private static final Duration SETTLE = Duration.ofMillis(100);
    private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);
    private static final Duration LONGEST_PAUSE = Duration.ofMinutes(1);

    private final Sandboxes sandboxes;
    private final PoolConfig config;
    private final Function<String, N> networks;
    private final Thread keeper;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    // Guarded by the lock, from here on.
    private final Deque<Member<N>> ready = new ArrayDeque<>();
    private int starting;
    private long number;
    private long claimed;
    private long missed;
    private long expired;
    private long failed;
    private Duration pause = Duration.ZERO;
    private long notBefore = System.nanoTime();
    private boolean closed;

    private WarmPool(Sandboxes sandboxes, PoolConfig config, Function<String, N> networks) {
        this.sandboxes = sandboxes;
        this.config = config;
        this.networks = networks;
        this.keeper =
                Thread.ofVirtual()
                        .name("warm-" + config.template().name())
                        .unstarted(this::keepUntilClosed);
    }

    /// @param born by [System#nanoTime]
    private record Member<N>(Sandbox sandbox, N network, long born) {}

    /// A sandbox that is its session's now, and its network. The session closes both, the sandbox
    /// first.
    public record Claimed<N>(Sandbox sandbox, N network) {}

    /// Begins to fill a pool.
    ///
    /// One whose template's runtime binds nothing later ([Sandboxes#bindsLater]) stays empty.
    ///
    /// @param sandboxes stay open longer than the pool
    /// @param networks makes the network of a member, whose name it is given
    public static <N extends Network> WarmPool<N> open(
            Sandboxes sandboxes, PoolConfig config, Function<String, N> networks) {
        WarmPool<N> pool = new WarmPool<>(sandboxes, config, networks);
        if (config.size() > 0 && !sandboxes.bindsLater(config.template())) {
            LOG.log(
                    Level.INFO,
                    "template {0} has no warm pool: its runtime mounts nothing after the start",
                    config.template().name());
        } else if (config.size() > 0) {
            pool.keeper.start();
        }
        return pool;
    }

    /// Takes a ready sandbox and makes it the session's; empty if none is ready, or none can be
    /// given these limits ([dev.glovebox.sandbox.Limits#canFollow]), whereupon the caller starts
    /// one itself.
    ///
    /// A member that has died, or cannot be bound, is ended and the next one taken.
    public Optional<Claimed<N>> claim(Binding binding) {
        if (!binding.limits().canFollow(config.limits())) {
            return Optional.empty();
        }
        while (true) {
            Optional<Member<N>> taken = take();
            if (taken.isEmpty()) {
                return Optional.empty();
            }
            Member<N> member = taken.get();
            try {
                member.sandbox().bind(binding);
                return Optional.of(new Claimed<>(member.sandbox(), member.network()));
            } catch (SandboxException e) {
                LOG.log(Level.WARNING, "a warm sandbox could not be bound", e);
                count(() -> {
                    claimed--;
                    failed++;
                });
                end(member);
            }
        }
    }

    /// Those that are ready now, to look at only: a claim may take any of them at any moment.
    public List<Sandbox> waiting() {
        lock.lock();
        try {
            return ready.stream().map(Member::sandbox).toList();
        } finally {
            lock.unlock();
        }
    }

    /// How it is doing.
    public PoolStats stats() {
        lock.lock();
        try {
            return new PoolStats(ready.size(), starting, claimed, missed, expired, failed);
        } finally {
            lock.unlock();
        }
    }

    /// Ends all members, also those on their way, and waits for it.
    @Override
    public void close() {
        List<Member<N>> left;
        lock.lock();
        try {
            closed = true;
            left = new ArrayList<>(ready);
            ready.clear();
            changed.signalAll();
            while (starting > 0) {
                changed.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
        left.forEach(this::end);
    }

    private Optional<Member<N>> take() {
        List<Member<N>> dead = new ArrayList<>();
        lock.lock();
        try {
            notBefore = Math.max(notBefore, System.nanoTime() + SETTLE.toNanos());
            changed.signalAll();
            Member<N> member = ready.poll();
            while (member != null && !lives(member)) {
                failed++;
                dead.add(member);
                member = ready.poll();
            }
            if (member == null) {
                missed++;
            } else {
                claimed++;
            }
            return Optional.ofNullable(member);
        } finally {
            lock.unlock();
            dead.forEach(each -> Thread.ofVirtual().start(() -> end(each)));
        }
    }

    private static boolean lives(Member<?> member) {
        return member.sandbox().state() instanceof SandboxState.Ready;
    }

    private void keepUntilClosed() {
        lock.lock();
        try {
            while (!closed) {
                List<Member<N>> old = takeUseless();
                if (!old.isEmpty()) {
                    old.forEach(each -> Thread.ofVirtual().start(() -> end(each)));
                    continue;
                }
                long wait = untilStart();
                if (wait <= 0) {
                    starting++;
                    String name = memberName(++number);
                    Thread.ofVirtual().name(name).start(() -> start(name));
                } else {
                    long _ = changed.awaitNanos(Math.min(wait, untilExpiry()));
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            lock.unlock();
        }
    }

    /// Members that have died or are too old, taken out. With the lock held, as the next two.
    private List<Member<N>> takeUseless() {
        List<Member<N>> useless = new ArrayList<>();
        for (Member<N> member : List.copyOf(ready)) {
            boolean old = System.nanoTime() - member.born() >= config.maxAge().toNanos();
            if (old || !lives(member)) {
                useless.add(member);
                ready.remove(member);
                expired += old ? 1 : 0;
                failed += old ? 0 : 1;
            }
        }
        return useless;
    }

    /// Nanoseconds until the next start is due; above 0 also while none is wanted.
    private long untilStart() {
        return ready.size() + starting >= config.size() || starting >= config.starts()
                ? Long.MAX_VALUE
                : notBefore - System.nanoTime();
    }

    private long untilExpiry() {
        return ready.stream()
                .mapToLong(m -> m.born() + config.maxAge().toNanos() - System.nanoTime())
                .min()
                .orElse(Long.MAX_VALUE);
    }

    /// As a sandbox may be called, whatever the template is.
    private String memberName(long count) {
        String template = config.template().name().replace('.', '_');
        return "warm-" + template.substring(0, Math.min(32, template.length())) + "-" + count;
    }

    private void start(String name) {
        Optional<Member<N>> member = Optional.empty();
        try {
            member = Optional.of(started(name));
        } catch (RuntimeException e) {
            failure(name, e);
        }
        boolean late;
        lock.lock();
        try {
            late = closed;
            if (member.isPresent()) {
                pause = Duration.ZERO;
            }
            if (!late) {
                member.ifPresent(ready::add);
            }
        } finally {
            lock.unlock();
        }
        if (late) {
            member.ifPresent(this::end);
        }
        count(() -> starting--);
    }

    private Member<N> started(String name) {
        N network = networks.apply(name);
        try {
            Sandbox sandbox =
                    sandboxes.createUnbound(
                            new SandboxSpec(
                                    name,
                                    config.template(),
                                    network.mounts(),
                                    Optional.of(network.namespace()),
                                    config.limits(),
                                    network.environment()));
            sandbox.onEnd(_ -> count(() -> {}));
            return new Member<>(sandbox, network, System.nanoTime());
        } catch (RuntimeException e) {
            network.close();
            throw e;
        }
    }

    private void failure(String name, RuntimeException e) {
        boolean first;
        lock.lock();
        try {
            failed++;
            first = pause.isZero();
            Duration next = first ? FIRST_PAUSE : pause.multipliedBy(2);
            pause = next.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : next;
            notBefore = System.nanoTime() + pause.toNanos();
        } finally {
            lock.unlock();
        }
        LOG.log(first ? Level.WARNING : Level.DEBUG, "cannot start " + name + ", trying again", e);
    }

    private void end(Member<N> member) {
        try {
            member.sandbox().close();
        } catch (SandboxException e) {
            LOG.log(Level.ERROR, "cannot end " + member.sandbox().name(), e);
        } finally {
            member.network().close();
        }
    }

    /// Changes a figure, and wakes who waits for one.
    private void count(Runnable change) {
        lock.lock();
        try {
            change.run();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
