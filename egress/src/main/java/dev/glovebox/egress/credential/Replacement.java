package dev.glovebox.egress.credential;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/// Replaces a placeholder in a stream of bytes, wherever it is cut (Knuth, Morris and Pratt). What
/// may be its beginning is held back; what was put in its place is not looked at again.
final class Replacement {
    private final byte[] placeholder;
    private final Optional<byte[]> value;
    private final int[] fallback;
    private int matched;
    private boolean found;

    /// @param value what to put in its place; empty: nothing, it is only looked for
    Replacement(String placeholder, Optional<String> value) {
        this.placeholder = placeholder.getBytes(StandardCharsets.US_ASCII);
        this.value = value.map(text -> text.getBytes(StandardCharsets.UTF_8));
        this.fallback = new int[this.placeholder.length];
        for (int i = 1, length = 0; i < fallback.length; i++) {
            while (length > 0 && this.placeholder[i] != this.placeholder[length]) {
                length = fallback[length - 1];
            }
            length += this.placeholder[i] == this.placeholder[length] ? 1 : 0;
            fallback[i] = length;
        }
    }

    /// Whether the placeholder was there.
    boolean hasFound() {
        return found;
    }

    /// Takes the next bytes, over which it takes ownership, and gives those that may go on.
    ///
    /// @param end whether these are the last
    ByteBuf pass(ByteBuf content, boolean end) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(content.readableBytes() + matched);
        while (content.isReadable()) {
            byte next = content.readByte();
            int before = matched;
            while (matched > 0 && placeholder[matched] != next) {
                matched = fallback[matched - 1];
            }
            boolean fits = placeholder[matched] == next;
            out.write(placeholder, 0, before - matched);
            if (!fits) {
                out.write(next);
            } else if (++matched == placeholder.length) {
                found = true;
                value.ifPresent(bytes -> out.write(bytes, 0, bytes.length));
                matched = 0;
            }
        }
        content.release();
        if (end) {
            out.write(placeholder, 0, matched);
            matched = 0;
        }
        return Unpooled.wrappedBuffer(out.toByteArray());
    }
}
