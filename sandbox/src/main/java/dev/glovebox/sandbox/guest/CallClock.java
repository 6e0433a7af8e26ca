package dev.glovebox.sandbox.guest;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Time as calls into one sandbox measure it: it stands while the sandbox is paused, so no deadline
/// runs out for want of a processor that was taken away on purpose. Thread-safe.
public final class CallClock {
    /// Who waits while the clock stands looks at it again at least this often.
    private static final long RECHECK_NANOS = 100_000_000;

    // Guarded by this object.
    private long stoodNanos;
    private long stoppedAt;
    private boolean stopped;

    CallClock() {}

    /// As [System#nanoTime], less all the time that it stood.
    public synchronized long nanoTime() {
        return (stopped ? stoppedAt : System.nanoTime()) - stoodNanos;
    }

    /// Whether it stands.
    public synchronized boolean isStopped() {
        return stopped;
    }

    /// Stops it; nothing happens if it stands.
    synchronized void stop() {
        if (!stopped) {
            stopped = true;
            stoppedAt = System.nanoTime();
        }
    }

    /// Lets it go on; nothing happens if it goes.
    synchronized void go() {
        if (stopped) {
            stopped = false;
            stoodNanos += System.nanoTime() - stoppedAt;
        }
    }

    /// For how long to wait for a condition, by the clock of the host, before this clock is to be
    /// looked at again.
    ///
    /// @param left nanoseconds that are left by this clock, above 0
    public long patience(long left) {
        return isStopped() ? Math.max(left, RECHECK_NANOS) : left;
    }

    /// As [CompletableFuture#get(long, TimeUnit)], by this clock.
    <T> T get(CompletableFuture<T> future, Duration timeout)
            throws InterruptedException, ExecutionException, TimeoutException {
        long deadline = nanoTime() + timeout.toNanos();
        long left = timeout.toNanos();
        while (true) {
            try {
                return future.get(patience(left), TimeUnit.NANOSECONDS);
            } catch (TimeoutException e) {
                left = deadline - nanoTime();
                if (left <= 0) {
                    throw e;
                }
            }
        }
    }
}
