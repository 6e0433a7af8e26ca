package dev.glovebox.server.stream;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// Frames of a `text/event-stream`. Every frame has an `event:` name, because the SDKs drop unnamed
/// ones; data is one line of JSON.
public final class EventSink {
    private static final byte[] OPEN = ": open\n\n".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] PING =
            "event: ping\ndata: {}\n\n".getBytes(StandardCharsets.US_ASCII);

    private final OutputStream out;

    /// @param out the body of the answer
    public EventSink(OutputStream out) {
        this.out = out;
    }

    /// Makes a frame.
    ///
    /// @param name the event's type
    /// @param json one line
    public static byte[] frame(String name, String json) {
        return ("event: " + name + "\ndata: " + json + "\n\n").getBytes(StandardCharsets.UTF_8);
    }

    /// Sends a comment, and with it the headers.
    public void open() throws IOException {
        out.write(OPEN);
        out.flush();
    }

    /// Sends a sign of life.
    public void ping() throws IOException {
        out.write(PING);
        out.flush();
    }

    /// Sends frames together.
    public void send(List<byte[]> frames) throws IOException {
        for (byte[] frame : frames) {
            out.write(frame);
        }
        out.flush();
    }
}
