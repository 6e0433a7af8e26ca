package dev.glovebox.worker;

import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/// One place at a time for each session: one that comes back while its last place is still being
/// taken down waits for that, so that never two sandboxes write to one workspace.
final class SessionHolds {
    private final Duration patience;
    private final ConcurrentMap<String, Semaphore> holds = new ConcurrentHashMap<>();

    SessionHolds(Duration patience) {
        this.patience = patience;
    }

    /// Waits until nobody holds the session, then holds it until what is returned is closed.
    ///
    /// @throws WorkerException if that takes too long
    Hold take(String sessionId) {
        Semaphore hold = holds.computeIfAbsent(sessionId, _ -> new Semaphore(1));
        try {
            if (!hold.tryAcquire(patience.toNanos(), TimeUnit.NANOSECONDS)) {
                throw new WorkerException("the last place of " + sessionId + " is still there");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new WorkerException("interrupted while waiting for " + sessionId);
        }
        return hold::release;
    }

    /// A session that is held.
    @FunctionalInterface
    interface Hold extends AutoCloseable {
        @Override
        void close();
    }
}
