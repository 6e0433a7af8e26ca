package dev.glovebox.sandbox.guest;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/// What a process writes: a bounded ring that the reader thread fills and anybody may read.
///
/// The bytes in the ring, those read but not yet granted again, and those the inside may still send
/// always add up to the capacity. So a stream that nobody reads costs the ring and then stops the
/// process in its `write(2)`, and the reader thread never has to wait.
public final class ProcessOutput extends InputStream {
    private static final int FIRST_RING = 1024;
    private static final long FOREVER = Long.MAX_VALUE;

    private final int capacity;
    private final CallClock clock;
    private final IntConsumer grant;
    private final Runnable stop;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    // Guarded by the lock, from here on.
    private byte[] ring = new byte[0];
    private int head;
    private int size;
    private int consumed;
    private boolean ended;
    private @Nullable GuestException broken;

    /// @param grant told how many bytes more the inside may send
    /// @param stop told that nobody will read any more
    ProcessOutput(int capacity, CallClock clock, IntConsumer grant, Runnable stop) {
        this.capacity = capacity;
        this.clock = clock;
        this.grant = grant;
        this.stop = stop;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    /// Waits for output; -1 at the end of it.
    ///
    /// @throws InterruptedIOException if this thread is interrupted, which it then still is
    /// @throws IOException if the sandbox is gone
    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, buffer.length);
        try {
            return take(buffer, offset, length, FOREVER);
        } catch (TimeoutException e) {
            throw new IllegalStateException("waited for ever", e);
        }
    }

    /// As [#read(byte\[\], int, int)], but gives up after the timeout.
    ///
    /// @throws TimeoutException if there was neither output nor the end of it in time
    public int read(byte[] buffer, int offset, int length, Duration timeout)
            throws IOException, TimeoutException {
        Objects.checkFromIndexSize(offset, length, buffer.length);
        return take(buffer, offset, length, timeout.toNanos());
    }

    @Override
    public int available() {
        lock.lock();
        try {
            return size;
        } finally {
            lock.unlock();
        }
    }

    /// Drops what is unread; a process that goes on writing gets `SIGPIPE`.
    @Override
    public void close() {
        boolean tell;
        lock.lock();
        try {
            tell = !ended;
        } finally {
            lock.unlock();
        }
        end(true);
        if (tell) {
            stop.run();
        }
    }

    /// Takes bytes from the reader thread.
    void accept(ByteBuffer bytes) {
        lock.lock();
        try {
            int count = bytes.remaining();
            if (ended) {
                return;
            }
            if (count > capacity - size - consumed) {
                throw new GuestException("EPROTO", "output beyond its credit", "");
            }
            grow(size + count);
            int tail = (head + size) % ring.length;
            int first = Math.min(count, ring.length - tail);
            bytes.get(ring, tail, first).get(ring, 0, count - first);
            size += count;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// Nothing more will come.
    ///
    /// @param drop what is unread is of no use either
    void end(boolean drop) {
        lock.lock();
        try {
            ended = true;
            size = drop ? 0 : size;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    void broken(GuestException reason) {
        lock.lock();
        try {
            broken = ended ? broken : reason;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private int take(byte[] buffer, int offset, int length, long timeoutNanos)
            throws IOException, TimeoutException {
        if (length == 0) {
            return 0;
        }
        int count;
        int granted;
        lock.lock();
        try {
            if (!awaitBytes(timeoutNanos)) {
                return -1;
            }
            count = Math.min(length, size);
            int first = Math.min(count, ring.length - head);
            System.arraycopy(ring, head, buffer, offset, first);
            System.arraycopy(ring, 0, buffer, offset + first, count - first);
            size -= count;
            head = size == 0 ? 0 : (head + count) % ring.length;
            consumed += count;
            granted = ended || consumed < capacity / 2 ? 0 : consumed;
            consumed -= granted;
        } finally {
            lock.unlock();
        }
        if (granted > 0) {
            grant.accept(granted);
        }
        return count;
    }

    /// True if there are bytes, false at the end of the output. With the lock held, as the next.
    private boolean awaitBytes(long timeoutNanos) throws IOException, TimeoutException {
        long start = clock.nanoTime();
        try {
            while (size == 0 && !ended && broken == null) {
                long left = timeoutNanos - (clock.nanoTime() - start);
                if (left <= 0) {
                    throw new TimeoutException("no output in time");
                }
                long _ = changed.awaitNanos(clock.patience(left));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw (IOException) new InterruptedIOException("waiting for output").initCause(e);
        }
        if (size == 0 && broken != null) {
            throw new IOException("the sandbox is gone", broken);
        }
        return size > 0;
    }

    private void grow(int needed) {
        if (needed <= ring.length) {
            return;
        }
        byte[] larger =
                new byte
                        [Math.min(
                                capacity, Math.max(needed, Math.max(FIRST_RING, ring.length * 2)))];
        int first = Math.min(size, ring.length - head);
        System.arraycopy(ring, head, larger, 0, first);
        System.arraycopy(ring, 0, larger, first, size - first);
        ring = larger;
        head = 0;
    }
}
