package dev.glovebox.sandbox.guest;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// Frames waiting to be written, and the thread that writes them.
///
/// Callers do not write to the channel themselves: a thread that is interrupted inside a channel
/// operation closes the channel (`InterruptibleChannel`), and one cancelled tool call must not end
/// the sandbox. So a caller leaves its frame here, waiting while the buffer is full, and one thread
/// nobody interrupts writes whatever is there in one piece; frames that arrive meanwhile go
/// together.
final class Outbox {
    private static final int LIMIT = 2 * (Wire.REQUEST_HEAD + Wire.PAYLOAD_MAX);

    private final CallClock clock;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition filled = lock.newCondition();
    private final Condition emptied = lock.newCondition();

    // Guarded by the lock, from here on.
    private ByteBuffer filling = ByteBuffer.allocate(4096);

    private boolean closed;

    Outbox(CallClock clock) {
        this.clock = clock;
    }

    /// Waits for room and takes the frames, all or none of each, in this order.
    ///
    /// @throws GuestException `ECONNRESET` if closed, `ETIMEDOUT`, `EINTR`
    void put(long timeoutNanos, ByteBuffer... frames) {
        lock.lock();
        try {
            for (ByteBuffer frame : frames) {
                awaitRoom(frame.remaining(), timeoutNanos);
                filling.put(frame);
                filled.signal();
            }
        } finally {
            lock.unlock();
        }
    }

    /// Writes until closed; for the writer thread.
    void drainTo(SocketChannel channel) throws IOException {
        ByteBuffer draining = ByteBuffer.allocate(4096);
        while (true) {
            lock.lock();
            try {
                while (filling.position() == 0 && !closed) {
                    filled.awaitUninterruptibly();
                }
                if (closed) {
                    return;
                }
                ByteBuffer empty = draining.clear();
                draining = filling.flip();
                filling = empty;
                emptied.signalAll();
            } finally {
                lock.unlock();
            }
            while (draining.hasRemaining()) {
                channel.write(draining);
            }
        }
    }

    void close() {
        lock.lock();
        try {
            closed = true;
            filled.signalAll();
            emptied.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /// With the lock held.
    private void awaitRoom(int size, long timeoutNanos) {
        long deadline = clock.nanoTime() + timeoutNanos;
        try {
            while (!closed && filling.position() + size > LIMIT) {
                long left = deadline - clock.nanoTime();
                if (left <= 0) {
                    throw new GuestException("ETIMEDOUT", "send to the sandbox", "");
                }
                long _ = emptied.awaitNanos(clock.patience(left));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new GuestException("EINTR", "send to the sandbox", "", e);
        }
        if (closed) {
            throw new GuestException("ECONNRESET", "send to the sandbox", "");
        }
        if (filling.remaining() < size) {
            int larger =
                    Math.min(LIMIT, Math.max(filling.capacity() * 2, filling.position() + size));
            filling = ByteBuffer.allocate(larger).put(filling.flip());
        }
    }

    /// For a timeout of a caller in the unit of [#put].
    static long nanos(java.time.Duration timeout) {
        return TimeUnit.NANOSECONDS.convert(timeout);
    }
}
