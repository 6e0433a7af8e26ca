package dev.glovebox.server.stream;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// What one stream's reader has not yet taken. It is bounded: a reader that is too slow loses its
/// stream, not an event, since it reconnects and lists what it missed.
public final class Subscriber {
    /// Most frames that wait for a reader.
    static final int MAX_FRAMES = 4096;

    /// Most bytes that wait for a reader, unless it is a single frame.
    static final int MAX_BYTES = 64 * 1024 * 1024;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final Deque<byte[]> frames = new ArrayDeque<>();
    private long bytes;
    private boolean ended;

    void offer(byte[] frame) {
        lock.lock();
        try {
            if (ended) {
                return;
            }
            boolean full =
                    frames.size() >= MAX_FRAMES
                            || (!frames.isEmpty() && bytes + frame.length > MAX_BYTES);
            if (full) {
                frames.clear();
                ended = true;
            } else {
                frames.add(frame);
                bytes += frame.length;
            }
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// No more will come; what waits can still be taken.
    void end() {
        lock.lock();
        try {
            ended = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// What has come.
    ///
    /// @param frames empty when the time was up
    /// @param last whether the stream is over after these
    public record Taken(List<byte[]> frames, boolean last) {}

    /// Waits for frames and takes all there are.
    public Taken take(Duration timeout) throws InterruptedException {
        long nanos = timeout.toNanos();
        lock.lock();
        try {
            while (frames.isEmpty() && !ended && nanos > 0) {
                nanos = changed.awaitNanos(nanos);
            }
            List<byte[]> taken = new ArrayList<>(frames);
            frames.clear();
            bytes = 0;
            return new Taken(taken, ended);
        } finally {
            lock.unlock();
        }
    }
}
