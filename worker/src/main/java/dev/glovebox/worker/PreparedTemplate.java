package dev.glovebox.worker;

import dev.glovebox.egress.Door;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.sandbox.SandboxException;
import dev.glovebox.sandbox.SandboxException.Band;
import dev.glovebox.sandbox.SandboxSpec;
import dev.glovebox.sandbox.Template;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The template of a worker, got ready before the first sandbox is made of it.
///
/// Its command runs in a sandbox of its own, behind a door of its own that has the worker's policy
/// and shows its certificates. One run at a time: who needs the template meanwhile waits for it. It
/// is begun when the worker starts; after a failure, which is told to the operator once until
/// something else goes wrong, it runs again when a session needs it, and no sooner than 1 s, then 2
/// s, up to 5 min after the last failure. Until then a session is told the last failure at once.
/// Thread-safe.
final class PreparedTemplate implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(PreparedTemplate.class.getName());
    private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);
    private static final Duration LONGEST_PAUSE = Duration.ofMinutes(5);
    private static final Duration TIME_TO_END = Duration.ofSeconds(30);
    private static final int NAME_LENGTH = 40;

    private final PlaceConfig config;
    private final Place.Rooms rooms;
    private final Supplier<EgressPolicy> policy;
    private final Runnable whenPrepared;
    private final ReentrantLock lock = new ReentrantLock();

    // Guarded by the lock, from here on.
    private @Nullable FutureTask<Void> running;
    private @Nullable Thread runner;
    private @Nullable SandboxException failure;
    private Duration pause = FIRST_PAUSE;
    private long notBefore;
    private boolean closed;

    /// @param policy what its command may reach, when it runs
    /// @param whenPrepared called once, when there can be sandboxes of the template
    PreparedTemplate(
            PlaceConfig config,
            Place.Rooms rooms,
            Supplier<EgressPolicy> policy,
            Runnable whenPrepared) {
        this.config = config;
        this.rooms = rooms;
        this.policy = policy;
        this.whenPrepared = whenPrepared;
    }

    /// Begins, and returns at once unless there is nothing to be done.
    void begin() {
        if (rooms.sandboxes().isPrepared(config.template())) {
            whenPrepared.run();
        } else {
            FutureTask<Void> _ = run();
        }
    }

    /// Waits until it is prepared.
    ///
    /// @throws SandboxException why it is not
    void await() {
        if (rooms.sandboxes().isPrepared(config.template())) {
            return;
        }
        try {
            run().get();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof SandboxException known
                    ? known
                    : new SandboxException(Band.TEMPLATE, String.valueOf(e.getCause()), e);
        } catch (CancellationException e) {
            throw new SandboxException(Band.TEMPLATE, "this worker is ending", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new SandboxException(Band.TEMPLATE, "interrupted", e);
        }
    }

    /// Ends what runs, and lets nothing begin. Does not wait for the command, but until its sandbox
    /// and its disk are gone: the process may end next, and would leave the disk mounted.
    @Override
    public void close() {
        Thread last;
        lock.lock();
        try {
            closed = true;
            if (running != null) {
                running.cancel(true);
            }
            last = runner;
        } finally {
            lock.unlock();
        }
        if (last != null) {
            awaitEnd(last);
        }
    }

    private void awaitEnd(Thread last) {
        try {
            if (!last.join(TIME_TO_END)) {
                LOG.log(
                        Level.WARNING,
                        "the preparation of template {0} has not ended within {1} s; what is left of it"
                                + " is removed with the next start",
                        config.template().name(),
                        TIME_TO_END.toSeconds());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// The run that is under way, begun now if there is none.
    private FutureTask<Void> run() {
        lock.lock();
        try {
            FutureTask<Void> task = running;
            if (task != null) {
                return task;
            }
            if (closed) {
                throw new SandboxException(Band.TEMPLATE, "this worker is ending");
            }
            if (failure != null && System.nanoTime() - notBefore < 0) {
                throw new SandboxException(
                        failure.band(), String.valueOf(failure.getMessage()), failure);
            }
            task = new FutureTask<>(this::prepare, null);
            running = task;
            runner = Thread.ofVirtual().name("prepare-" + config.template().name()).start(task);
            return task;
        } finally {
            lock.unlock();
        }
    }

    private void prepare() {
        long start = System.nanoTime();
        try {
            behindADoor(config.template());
            whenPrepared.run();
        } catch (RuntimeException e) {
            done(e instanceof SandboxException s ? s : new SandboxException(Band.HOST, e + "", e));
            throw e;
        }
        done(null);
        LOG.log(
                Level.INFO,
                "template {0} is prepared, after {1} s",
                config.template().name(),
                Duration.ofNanos(System.nanoTime() - start).toSeconds());
    }

    private void behindADoor(Template template) {
        String plain = template.name().replace('.', '_');
        String name = "prepare-" + plain.substring(0, Math.min(NAME_LENGTH, plain.length()));
        try (Door door = rooms.doors().open(name, policy.get())) {
            DoorCertificates certificates =
                    DoorCertificates.whilePreparing(door.trustFiles(), template);
            rooms.sandboxes()
                    .prepare(
                            new SandboxSpec(
                                    name,
                                    template,
                                    certificates.mounts(),
                                    Optional.of(door.networkNamespace()),
                                    config.limits(),
                                    certificates.environment()),
                            line -> LOG.log(Level.INFO, line));
        }
    }

    /// Notes how a run has ended, before anybody who waits for it learns of it.
    private void done(@Nullable SandboxException now) {
        boolean told;
        lock.lock();
        try {
            running = null;
            told =
                    closed
                            || now == null
                            || (failure != null
                                    && String.valueOf(failure.getMessage())
                                            .equals(now.getMessage()));
            if (now == null) {
                pause = FIRST_PAUSE;
            } else {
                notBefore = System.nanoTime() + pause.toNanos();
                Duration next = pause.multipliedBy(2);
                pause = next.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : next;
            }
            failure = now;
        } finally {
            lock.unlock();
        }
        if (!told && now != null) {
            LOG.log(
                    Level.ERROR,
                    "no sandbox can be made, the next session tries again: {0}",
                    now.getMessage());
        }
    }
}
