package dev.glovebox.sandbox.guest;

import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// The socket to one glovebox-init, its reader thread and its writer thread.
///
/// The reader gives each frame to the [Listener] of its id and never waits for anybody: listeners
/// hold bounded buffers and the inside sends only what it was given credit for, so a reader that
/// always reads is what keeps both sides from waiting for each other. The inside is not trusted:
/// whatever it sends beyond the protocol ends the connection. It ends once, for one reason, and
/// every listener is told.
final class Connection {
    private static final System.Logger LOG = System.getLogger(Connection.class.getName());
    private static final int FIRST_BUFFER = 8192;

    private final SocketChannel channel;
    private final Duration timeout;
    private final AtomicInteger ids = new AtomicInteger();
    private final ConcurrentHashMap<Integer, Listener> listeners = new ConcurrentHashMap<>();
    private final AtomicReference<@Nullable GuestException> ended = new AtomicReference<>();
    private final CompletableFuture<GuestException> end = new CompletableFuture<>();
    private final CallClock clock = new CallClock();
    private final Outbox outbox = new Outbox(clock);

    Connection(SocketChannel channel, Duration timeout) {
        this.channel = channel;
        this.timeout = timeout;
    }

    /// Starts the threads. Whoever wants the greeting attaches to id 0 before.
    void start() {
        Thread.ofVirtual().name("guest-reader").start(this::readUntilEnd);
        Thread.ofVirtual().name("guest-writer").start(this::writeUntilEnd);
    }

    int newId() {
        return ids.updateAndGet(id -> id == Integer.MAX_VALUE ? 1 : id + 1);
    }

    Duration timeout() {
        return timeout;
    }

    CallClock clock() {
        return clock;
    }

    /// Completed with the reason once it has ended and every listener was told.
    CompletableFuture<GuestException> ended() {
        return end;
    }

    boolean isOpen() {
        return ended.get() == null;
    }

    void attach(int id, Listener listener) {
        listeners.put(id, listener);
        GuestException reason = ended.get();
        if (reason != null) {
            listeners.remove(id);
            listener.broken(reason);
        }
    }

    void detach(int id) {
        listeners.remove(id);
    }

    /// Hands frames to the writer in this order.
    ///
    /// @throws GuestException `ECONNRESET`, `ETIMEDOUT`, `EINTR`
    void send(Frame... frames) {
        ByteBuffer[] sealed = new ByteBuffer[frames.length];
        for (int i = 0; i < frames.length; i++) {
            sealed[i] = frames[i].seal();
        }
        outbox.put(Outbox.nanos(timeout), sealed);
    }

    /// As [#send] for what only tidies up: a connection that is gone needs no tidying.
    void sendIfOpen(Frame... frames) {
        try {
            send(frames);
        } catch (GuestException e) {
            LOG.log(System.Logger.Level.DEBUG, "not sent", e);
        }
    }

    /// Ends the connection; every process of the sandbox is killed by its init. Only the first
    /// reason counts.
    void end(GuestException reason) {
        if (!ended.compareAndSet(null, reason)) {
            return;
        }
        outbox.close();
        try {
            channel.close();
        } catch (IOException e) {
            LOG.log(System.Logger.Level.WARNING, "closing a guest's socket", e);
        }
        listeners
                .keySet()
                .forEach(id -> {
                    Listener listener = listeners.remove(id);
                    if (listener != null) {
                        listener.broken(reason);
                    }
                });
        end.complete(reason);
    }

    private void writeUntilEnd() {
        try {
            outbox.drainTo(channel);
        } catch (IOException e) {
            end(new GuestException("ECONNRESET", "write to the sandbox", "", e));
        }
    }

    private void readUntilEnd() {
        try {
            ByteBuffer buffer = ByteBuffer.allocate(FIRST_BUFFER);
            while (channel.read(buffer) >= 0) {
                buffer.flip();
                while (readFrame(buffer)) {}
                buffer = makeRoom(buffer);
            }
            end(new GuestException("ECONNRESET", "the sandbox has ended", ""));
        } catch (IOException e) {
            end(new GuestException("ECONNRESET", "read from the sandbox", "", e));
        } catch (BufferUnderflowException e) {
            end(new GuestException("EPROTO", "frame too short", "", e));
        } catch (GuestException e) {
            end(e);
        }
    }

    /// Handles the first frame of the buffer, if it is there as a whole.
    private boolean readFrame(ByteBuffer buffer) {
        if (buffer.remaining() < Wire.ANSWER_HEAD) {
            return false;
        }
        int head = buffer.getInt(buffer.position());
        int size = head & 0xff_ffff;
        int type = head >>> 24;
        if (size > Wire.PAYLOAD_MAX || type == Wire.FATAL) {
            throw new GuestException("EPROTO", "frame of type " + type + " and size " + size, "");
        }
        if (buffer.remaining() < Wire.ANSWER_HEAD + size) {
            return false;
        }
        int id = buffer.getInt(buffer.position() + 4);
        Listener listener = listeners.get(id);
        if (listener != null) {
            listener.frame(type, buffer.slice(buffer.position() + Wire.ANSWER_HEAD, size));
        }
        buffer.position(buffer.position() + Wire.ANSWER_HEAD + size);
        return true;
    }

    /// Idle guests keep a small buffer; a busy one grows it once to a whole frame.
    private static ByteBuffer makeRoom(ByteBuffer buffer) {
        int largest = Wire.ANSWER_HEAD + Wire.PAYLOAD_MAX;
        if (buffer.remaining() < buffer.capacity() / 2 || buffer.capacity() == largest) {
            return buffer.compact();
        }
        return ByteBuffer.allocate(largest).put(buffer);
    }
}
