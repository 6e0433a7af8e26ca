package dev.glovebox.worker.http;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.Queue;

/// An open event stream, read by one thread; any thread may close it, which ends the read.
public final class EventStream implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(EventStream.class.getName());

    private final InputStream body;
    private final SseParser parser = new SseParser();
    private final Queue<SseEvent> ready = new ArrayDeque<>();
    private final byte[] buffer = new byte[8192];
    private volatile long lastByte = System.nanoTime();

    EventStream(InputStream body) {
        this.body = body;
    }

    /// Waits for the next event; empty at the end of the stream.
    ///
    /// @throws IOException when the connection breaks or the stream is closed here
    public Optional<SseEvent> next() throws IOException {
        while (ready.isEmpty()) {
            int count = body.read(buffer);
            if (count < 0) {
                return Optional.empty();
            }
            lastByte = System.nanoTime();
            parser.feed(buffer, count, ready::add);
        }
        return Optional.of(ready.remove());
    }

    /// Whether not even a ping has come for that long: the other side is gone without saying so.
    public boolean silentFor(Duration time) {
        return System.nanoTime() - lastByte > time.toNanos();
    }

    @Override
    public void close() {
        try {
            body.close();
        } catch (IOException e) {
            LOG.log(System.Logger.Level.DEBUG, "closing an event stream", e);
        }
    }
}
