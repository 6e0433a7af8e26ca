package dev.glovebox.sandbox.guest;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// What a process reads. At most 64 KiB are under way; a write beyond that waits until the process
/// has read.
public final class ProcessInput extends OutputStream {
    private static final long FOREVER = Long.MAX_VALUE;

    private final Connection connection;
    private final int id;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    // Guarded by the lock, from here on.
    private int credit = Wire.STDIN_WINDOW;
    private boolean closed;
    private boolean gone;

    ProcessInput(Connection connection, int id) {
        this.connection = connection;
        this.id = id;
    }

    @Override
    public void write(int value) throws IOException {
        write(new byte[] {(byte) value}, 0, 1);
    }

    /// Waits until all is on its way.
    ///
    /// @throws InterruptedIOException if this thread is interrupted, which it then still is
    /// @throws IOException if the process does not read any more, or the sandbox is gone
    @Override
    public void write(byte[] buffer, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, buffer.length);
        try {
            put(buffer, offset, length, FOREVER);
        } catch (TimeoutException e) {
            throw new IllegalStateException("waited for ever", e);
        }
    }

    /// As [#write(byte\[\], int, int)], but gives up after the timeout, with a part perhaps
    /// written.
    ///
    /// @throws TimeoutException if the process did not read in time
    public void write(byte[] buffer, int offset, int length, Duration timeout)
            throws IOException, TimeoutException {
        Objects.checkFromIndexSize(offset, length, buffer.length);
        put(buffer, offset, length, timeout.toNanos());
    }

    /// The process sees the end of its input; a terminal is sent its end-of-file character.
    @Override
    public void close() {
        lock.lock();
        try {
            if (closed || gone) {
                return;
            }
            closed = true;
        } finally {
            lock.unlock();
        }
        connection.sendIfOpen(new Frame(Wire.CLOSE, id, "").number(0));
    }

    void granted(int bytes) {
        lock.lock();
        try {
            if (bytes < 0 || bytes > Wire.STDIN_WINDOW - credit) {
                throw new GuestException("EPROTO", "credit for stdin beyond its window", "");
            }
            credit += bytes;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// Nobody reads it any more.
    void gone() {
        lock.lock();
        try {
            gone = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void put(byte[] buffer, int offset, int length, long timeoutNanos)
            throws IOException, TimeoutException {
        long deadline =
                timeoutNanos == FOREVER ? FOREVER : connection.clock().nanoTime() + timeoutNanos;
        int done = 0;
        while (done < length) {
            int count = takeCredit(length - done, deadline);
            try {
                connection.send(new Frame(Wire.STDIN, id, "").data(buffer, offset + done, count));
            } catch (GuestException e) {
                throw new IOException("stdin: " + e.getMessage(), e);
            }
            done += count;
        }
    }

    private int takeCredit(int wanted, long deadline) throws IOException, TimeoutException {
        lock.lock();
        try {
            while (credit == 0 && !gone && !closed) {
                if (deadline == FOREVER) {
                    changed.await();
                } else {
                    long _ = changed.awaitNanos(patience(deadline));
                }
            }
            if (gone || closed) {
                throw new IOException(closed ? "stdin is closed" : "nobody reads stdin any more");
            }
            int count = Math.min(wanted, Math.min(credit, Wire.PAYLOAD_MAX));
            credit -= count;
            return count;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw (IOException) new InterruptedIOException("waiting to write stdin").initCause(e);
        } finally {
            lock.unlock();
        }
    }

    private long patience(long deadline) throws TimeoutException {
        CallClock clock = connection.clock();
        long left = deadline - clock.nanoTime();
        if (left <= 0) {
            throw new TimeoutException("stdin was not read in time");
        }
        return clock.patience(left);
    }
}
