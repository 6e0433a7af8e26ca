package dev.glovebox.worker;

import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// One place at a time for each session: one that comes back while its last place is still being
/// taken down waits for that, so that never two sandboxes write to one workspace.
final class SessionHolds {
    private final Duration patience;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition released = lock.newCondition();

    // Guarded by the lock.
    private final Set<String> held = new HashSet<>();

    SessionHolds(Duration patience) {
        this.patience = patience;
    }

    /// Waits until nobody holds the session, then holds it until what is returned is closed, which
    /// must be once.
    ///
    /// @throws WorkerException if that takes too long
    Hold take(String sessionId) {
        long left = patience.toNanos();
        lock.lock();
        try {
            while (!held.add(sessionId)) {
                if (left <= 0) {
                    throw new WorkerException("the last place of " + sessionId + " is still there");
                }
                left = released.awaitNanos(left);
            }
            return () -> release(sessionId);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new WorkerException("interrupted while waiting for " + sessionId);
        } finally {
            lock.unlock();
        }
    }

    private void release(String sessionId) {
        lock.lock();
        try {
            held.remove(sessionId);
            released.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// A session that is held.
    @FunctionalInterface
    interface Hold extends AutoCloseable {
        @Override
        void close();
    }
}
