package dev.glovebox.sandbox;

import dev.glovebox.linux.cgroup.Cgroup;
import dev.glovebox.sandbox.SandboxException.Band;
import dev.glovebox.sandbox.cpu.Contender;
import dev.glovebox.sandbox.cpu.Rank;
import dev.glovebox.sandbox.guest.Guest;
import dev.glovebox.sandbox.guest.GuestException;
import dev.glovebox.sandbox.guest.GuestProcess;
import dev.glovebox.sandbox.launch.Offspring;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/// A running sandbox. It ends when it is closed, when its worker dies, or when its pid 1 is killed
/// for want of memory.
///
/// Inside, the agent is uid and gid 1000 with home `/home/agent`; it can write there, in `/tmp`
/// (both in memory, gone at the end), in `/dev/shm` and in the mounts it was given, and nowhere
/// else. Under profiles other than [Profile#STRICT] it is uid 0 of the sandbox's own ids, and the
/// root can be written too. Thread-safe.
public final class Sandbox implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Sandbox.class.getName());
    private static final Duration FREEZE_DEADLINE = Duration.ofSeconds(5);
    private static final Duration STAND_DEADLINE = Duration.ofSeconds(1);

    private final Binder binder;
    private final Guest guest;
    private final Cgroup group;
    private final Rank rank;
    private final Runnable end;
    private final CompletableFuture<SandboxState.Ended> ended = new CompletableFuture<>();
    private final ReentrantLock lock = new ReentrantLock();
    private volatile SandboxState state = new SandboxState.Ready(Instant.now());
    private volatile SandboxSpec spec;
    private volatile Attestation attestation;
    private int init;
    private boolean bound;
    private boolean closed;

    Sandbox(SandboxSpec spec, Attestation attestation, Binder binder, Runnable end) {
        this.spec = spec;
        this.attestation = attestation;
        this.binder = binder;
        this.guest = binder.guest();
        this.group = binder.group();
        this.rank = new Rank(group);
        this.end = end;
        guest.onEnd(this::lost);
    }

    /// As in its [SandboxSpec].
    public String name() {
        return spec.name();
    }

    /// Its inside: processes and files.
    public Guest guest() {
        return guest;
    }

    /// What it was seen to be before its first command; of one that was bound, when it was.
    public Attestation attestation() {
        return attestation;
    }

    /// The environment to start commands with: `PATH`, `HOME`, `USER`, `LOGNAME`, `SHELL`, `LANG`,
    /// `TMPDIR`, over them what the image says, the template and the [SandboxSpec]. [Guest#start]
    /// itself inherits nothing.
    public Map<String, String> environment() {
        return binder.order().with(spec).environment();
    }

    /// Makes this the sandbox of a session, without a restart: mounts its directories, sets its
    /// limits, compares both from inside with what they must be, and lets it run.
    ///
    /// Once in its life, and only for one started by [Sandboxes#createUnbound].
    ///
    /// @throws SandboxException [Band#CALLER] if it belongs to a session already, has ended, or
    ///   cannot be given these limits ([Limits#canFollow]); else it is of no more use, and to be
    ///   closed
    public void bind(Binding binding) {
        lock.lock();
        try {
            refuseIfEnded("bind");
            if (bound) {
                throw new SandboxException(
                        Band.CALLER, "sandbox " + name() + " belongs to a session already");
            }
            if (!binding.limits().canFollow(spec.limits())) {
                throw new SandboxException(
                        Band.CALLER,
                        "sandbox " + name() + " was started with limits that cannot become these");
            }
            bound = true;
            SandboxSpec mine = spec.with(binding);
            attestation = binder.bind(mine, binding.mounts(), attestation, init);
            spec = mine;
            endInTime();
        } finally {
            lock.unlock();
        }
    }

    /// Ends the start of one that has no session yet: what takes time is done before it is claimed.
    void stayUnbound() {
        lock.lock();
        try {
            init = init();
        } finally {
            lock.unlock();
        }
    }

    /// Ends the start of one that has been its session's from the beginning.
    void confine() {
        lock.lock();
        try {
            bound = true;
            binder.limitDisks(spec);
            attestation = binder.confine(spec, attestation);
            endInTime();
        } finally {
            lock.unlock();
        }
    }

    /// Bytes of memory in use inside, files in `/tmp` and `/home/agent` included.
    public long memoryUsed() {
        return group.memoryUsed();
    }

    /// How many processes the kernel has killed here for want of memory. One more after a command
    /// than before it means that the command ran out of memory.
    public long oomKills() {
        return group.oomKills();
    }

    /// Processes and threads inside now.
    public long tasks() {
        return group.tasks();
    }

    /// Processor time used inside since the start, user and system.
    public Duration cpuTime() {
        return group.cpuTime();
    }

    /// Where it is in its life.
    public SandboxState state() {
        return state;
    }

    /// Tells once how it ended, on a thread of its own; at once if it has.
    public void onEnd(Consumer<SandboxState.Ended> listener) {
        CompletableFuture<Void> _ =
                ended.thenAccept(end ->
                        Thread.ofVirtual().name("end-" + name()).start(() -> listener.accept(end)));
    }

    /// Stops every process inside where it is, and waits until all stand.
    ///
    /// New calls are refused with `EBUSY` from now on. Calls under way keep what they have, and the
    /// time of their deadlines stands ([Guest#clock]). Memory stays in use. Nothing happens if it
    /// is paused.
    ///
    /// @throws SandboxException [Band#CALLER] if it has ended, [Band#HOST] if a process cannot be
    ///   stopped within five seconds; it then runs on
    public void pause() {
        lock.lock();
        try {
            refuseIfEnded("pause");
            if (state instanceof SandboxState.Paused) {
                return;
            }
            guest.hold();
            rank.hurry();
            if (!group.freeze(FREEZE_DEADLINE)) {
                guest.release();
                throw new SandboxException(
                        Band.HOST, "sandbox " + name() + " has a process that cannot be stopped");
            }
            become(new SandboxState.Paused(Instant.now()));
        } catch (IOException e) {
            guest.release();
            throw new SandboxException(Band.HOST, "cannot pause sandbox " + name(), e);
        } finally {
            calm();
            lock.unlock();
        }
    }

    /// Lets every process inside go on. Nothing happens if it is not paused.
    ///
    /// @throws SandboxException [Band#CALLER] if it has ended, [Band#HOST] if it does not go on
    public void resume() {
        lock.lock();
        try {
            refuseIfEnded("resume");
            if (state instanceof SandboxState.Ready) {
                return;
            }
            if (!group.thaw(FREEZE_DEADLINE)) {
                throw new SandboxException(
                        Band.HOST, "sandbox " + name() + " does not go on after its pause");
            }
            become(new SandboxState.Ready(Instant.now()));
            guest.release();
        } catch (IOException e) {
            throw new SandboxException(Band.HOST, "cannot resume sandbox " + name(), e);
        } finally {
            lock.unlock();
        }
    }

    /// A point in time for [#end].
    public long moment() {
        return Offspring.moment();
    }

    /// Kills a process that was started inside, and all that it has started since a moment, also
    /// what has left its group and session. What was there before stays, and what other processes
    /// of the worker's have started.
    ///
    /// Under gVisor, whose processes the host does not see, and where the processes cannot be made
    /// to stand meanwhile, every process inside is killed.
    ///
    /// @param since a [#moment]
    public void end(GuestProcess process, long since) {
        lock.lock();
        try {
            if (state instanceof SandboxState.Ended) {
                return;
            }
            rank.hurry();
            Set<Integer> others = new HashSet<>(guest.running());
            others.remove(process.pid());
            boolean done =
                    attestation.runtime() != RuntimeName.RUNSC
                            && group.killSome(
                                    pids -> Offspring.among(pids, process.pid(), others, since),
                                    STAND_DEADLINE);
            if (!done) {
                guest.endAll();
            }
        } catch (IOException | GuestException e) {
            LOG.log(Level.WARNING, "not all that a call started in " + name() + " was ended", e);
        } finally {
            calm();
            lock.unlock();
        }
    }

    Cgroup group() {
        return group;
    }

    Contender contender() {
        return new Contender(
                group, rank, spec.limits().cpus(), state instanceof SandboxState.Paused);
    }

    /// Its pid 1, as the host sees it.
    int init() {
        return binder.first(attestation.state().getOrDefault("ns/mnt", ""));
    }

    Set<Integer> processes() {
        return group.processes();
    }

    /// Ends every process inside, paused or not, and removes all traces on the host. Waits until
    /// that is so, up to ten seconds. Once it is, a further call does nothing.
    ///
    /// @throws SandboxException [SandboxException.Band#HOST] if a process cannot be ended; a
    ///   further call tries again
    @Override
    public void close() {
        lock.lock();
        try {
            finish(new SandboxState.Reason.Closed());
            guest.close();
            if (!closed) {
                end.run();
                closed = true;
            }
        } finally {
            lock.unlock();
        }
    }

    private void refuseIfEnded(String verb) {
        if (state instanceof SandboxState.Ended) {
            throw new SandboxException(
                    Band.CALLER, "cannot " + verb + " sandbox " + name() + ": it has ended");
        }
    }

    /// The connection is gone, by whomever.
    private void lost(GuestException reason) {
        lock.lock();
        try {
            finish(
                    group.oomKills() > 0
                            ? new SandboxState.Reason.OutOfMemory()
                            : new SandboxState.Reason.Crashed(String.valueOf(reason.getMessage())));
        } finally {
            lock.unlock();
        }
    }

    /// Ends it when its time is up, unless it has ended before.
    private void endInTime() {
        Duration most = spec.limits().time();
        Thread.ofVirtual()
                .name("time-" + name())
                .start(() -> {
                    try {
                        ended.get(most.toMillis(), TimeUnit.MILLISECONDS);
                    } catch (TimeoutException e) {
                        timeUp(most);
                    } catch (InterruptedException | ExecutionException e) {
                        LOG.log(Level.ERROR, "sandbox " + name() + " has no end of time", e);
                    }
                });
    }

    /// What stands still is let go, or it could not end.
    private void timeUp(Duration most) {
        lock.lock();
        try {
            boolean paused = state instanceof SandboxState.Paused;
            finish(new SandboxState.Reason.TimeUp(most));
            guest.close();
            if (paused && !group.thaw(FREEZE_DEADLINE)) {
                LOG.log(Level.WARNING, "sandbox {0} does not go on, to end", name());
            }
        } catch (IOException e) {
            LOG.log(Level.WARNING, "sandbox " + name() + " does not go on, to end", e);
        } finally {
            lock.unlock();
        }
    }

    /// Only the first reason counts.
    private void finish(SandboxState.Reason reason) {
        if (!(state instanceof SandboxState.Ended)) {
            SandboxState.Ended last = new SandboxState.Ended(Instant.now(), reason);
            state = last;
            rank.hurry();
            ended.complete(last);
        }
    }

    /// Nothing hurries any more, unless it is at its end.
    private void calm() {
        if (!(state instanceof SandboxState.Ended)) {
            rank.calm();
        }
    }

    private void become(SandboxState next) {
        if (!(state instanceof SandboxState.Ended)) {
            state = next;
        }
    }
}
