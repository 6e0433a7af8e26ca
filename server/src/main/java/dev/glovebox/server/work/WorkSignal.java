package dev.glovebox.server.work;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// Wakes pollers when work comes. A poller notes the count before it looks, and waits only while
/// the count is still the same, so that work which comes between look and wait is not missed.
final class WorkSignal {
    private final Map<String, Bell> bells = new ConcurrentHashMap<>();

    long count(String environmentId) {
        return bell(environmentId).count();
    }

    void ring(String environmentId) {
        bell(environmentId).ring();
    }

    /// Waits until the count differs or the time is up.
    void await(String environmentId, long seen, Duration timeout) throws InterruptedException {
        bell(environmentId).await(seen, timeout);
    }

    private Bell bell(String environmentId) {
        return bells.computeIfAbsent(environmentId, _ -> new Bell());
    }

    private static final class Bell {
        private final ReentrantLock lock = new ReentrantLock();
        private final Condition rung = lock.newCondition();
        private long count;

        long count() {
            lock.lock();
            try {
                return count;
            } finally {
                lock.unlock();
            }
        }

        void ring() {
            lock.lock();
            try {
                count++;
                rung.signalAll();
            } finally {
                lock.unlock();
            }
        }

        void await(long seen, Duration timeout) throws InterruptedException {
            long nanos = timeout.toNanos();
            lock.lock();
            try {
                while (count == seen && nanos > 0) {
                    nanos = rung.awaitNanos(nanos);
                }
            } finally {
                lock.unlock();
            }
        }
    }
}
