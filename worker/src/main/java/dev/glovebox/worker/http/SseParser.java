package dev.glovebox.worker.http;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Bytes of a `text/event-stream` in, events out, however the bytes are cut.
///
/// As the WHATWG text says: lines end with LF, CR or CRLF; a byte order mark at the start is
/// skipped; one space after the colon is dropped; a line that starts with a colon is a comment; an
/// empty line ends the event; an event without data is none; `id` and `retry` mean nothing here.
/// One event may have 32 MiB.
final class SseParser {
    static final int MAX_EVENT = 32 * 1024 * 1024;

    private final ByteArrayOutputStream line = new ByteArrayOutputStream(512);
    private final StringBuilder data = new StringBuilder();
    private String name = "";
    private boolean hasData;
    private boolean afterCarriageReturn;
    private boolean firstLine = true;

    /// Takes the next bytes and hands out every event they complete.
    ///
    /// @throws IOException when an event is too large to be one
    void feed(byte[] bytes, int length, Consumer<SseEvent> events) throws IOException {
        for (int i = 0; i < length; i++) {
            byte b = bytes[i];
            if (b == '\n' && afterCarriageReturn) {
                afterCarriageReturn = false;
                continue;
            }
            afterCarriageReturn = b == '\r';
            if (b == '\n' || b == '\r') {
                endLine(events);
            } else {
                line.write(b);
                if (line.size() + data.length() > MAX_EVENT) {
                    throw new IOException("event of more than " + MAX_EVENT + " bytes");
                }
            }
        }
    }

    private void endLine(Consumer<SseEvent> events) {
        String text = line.toString(StandardCharsets.UTF_8);
        line.reset();
        if (firstLine) {
            firstLine = false;
            text = text.startsWith("\uFEFF") ? text.substring(1) : text;
        }
        if (text.isEmpty()) {
            dispatch(events);
            return;
        }
        int colon = text.indexOf(':');
        switch (colon < 0 ? text : text.substring(0, colon)) {
            case "event" -> name = value(text, colon);
            case "data" -> {
                if (hasData) {
                    data.append('\n');
                }
                data.append(value(text, colon));
                hasData = true;
            }
            default -> {}
        }
    }

    private void dispatch(Consumer<SseEvent> events) {
        @Nullable SseEvent event = hasData ? new SseEvent(name, data.toString()) : null;
        name = "";
        hasData = false;
        data.setLength(0);
        if (data.capacity() > 1 << 16) {
            data.trimToSize();
        }
        if (event != null) {
            events.accept(event);
        }
    }

    private static String value(String line, int colon) {
        if (colon < 0) {
            return "";
        }
        int start = line.startsWith(" ", colon + 1) ? colon + 2 : colon + 1;
        return line.substring(start);
    }
}
