package dev.glovebox.sandbox.cpu;

import dev.glovebox.linux.Affinity;
import dev.glovebox.linux.LinuxException;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/// Has the kernel's scheduler look again twice a millisecond on each processor, while it is asked
/// to.
///
/// A process that is to run only when nobody else wants to ([Precedence]) still gets a turn now and
/// then, when those before it change places, and keeps it until somebody wakes up on that processor
/// or the clock ticks, which most kernels have it do every 4 ms. Whoever had become ready before
/// then waits that long. So a thread on each processor wakes up in between, to do nothing.
final class Ticks implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Ticks.class.getName());
    private static final long PERIOD_NANOS = 500_000;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private volatile boolean wanted;
    private volatile boolean closed;

    /// Guarded by the lock; none before they are first wanted.
    private List<Thread> threads = List.of();

    /// Whether they are wanted from now on.
    void want(boolean now) {
        if (now != wanted) {
            lock.lock();
            try {
                wanted = now;
                if (threads.isEmpty()) {
                    threads = Affinity.allowed().stream().map(this::thread).toList();
                }
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    @Override
    public void close() {
        closed = true;
        lock.lock();
        try {
            threads.forEach(Thread::interrupt);
        } finally {
            lock.unlock();
        }
    }

    private Thread thread(int processor) {
        return Thread.ofPlatform()
                .name("tick-" + processor)
                .daemon(true)
                .start(() -> run(processor));
    }

    private void run(int processor) {
        try {
            Affinity.pin(processor);
            while (!closed) {
                awaitWanted();
                while (wanted && !closed) {
                    LockSupport.parkNanos(PERIOD_NANOS);
                }
            }
        } catch (LinuxException e) {
            LOG.log(Level.DEBUG, "no ticks", e); // it went offline
        } catch (InterruptedException e) {
            LOG.log(Level.DEBUG, "no more ticks", e);
        }
    }

    private void awaitWanted() throws InterruptedException {
        lock.lock();
        try {
            while (!wanted) {
                changed.await();
            }
        } finally {
            lock.unlock();
        }
    }
}
