package dev.glovebox.egress.http;

import dev.glovebox.protocol.Secret;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.HttpHeaders;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;

/// Looks for a credential in what a server answers, so that a server which echoes requests does not
/// hand the secret to the sandbox.
///
/// Finds the secret as it stands, wherever the stream is cut (Knuth-Morris-Pratt, one pass). Only
/// bytes that may be its beginning are held back, so a stream of events is not delayed. Encoded
/// forms of the secret are not found: this is a net under the rope, the rope is a narrow rule. A
/// secret shorter than 8 bytes is not looked for, because it could stand anywhere by chance.
public final class EchoGuard {
    private static final int SHORTEST = 8;

    private final byte[] secret;
    private final int[] fallback;
    private int matched;

    private EchoGuard(byte[] secret) {
        this.secret = secret;
        this.fallback = new int[secret.length];
        for (int i = 1, length = 0; i < secret.length; i++) {
            while (length > 0 && secret[i] != secret[length]) {
                length = fallback[length - 1];
            }
            length += secret[i] == secret[length] ? 1 : 0;
            fallback[i] = length;
        }
    }

    /// A guard for one response, or none for a secret that is too short to tell.
    public static Optional<EchoGuard> against(Secret secret) {
        byte[] bytes = secret.reveal().getBytes(StandardCharsets.UTF_8);
        return bytes.length < SHORTEST ? Optional.empty() : Optional.of(new EchoGuard(bytes));
    }

    /// Whether the secret stands in a header.
    boolean isIn(HttpHeaders headers) {
        String text = new String(secret, StandardCharsets.UTF_8);
        for (Map.Entry<String, String> header : headers) {
            if (header.getValue().contains(text) || header.getKey().contains(text)) {
                return true;
            }
        }
        return false;
    }

    /// Takes the next bytes of the body, over which it takes ownership, and gives those that may go
    /// on; empty if the secret is complete in them.
    ///
    /// @param end whether these are the last, so that nothing needs to be held back
    Optional<ByteBuf> pass(ByteBuf content, boolean end) {
        int held = matched;
        for (int i = content.readerIndex(); i < content.writerIndex(); i++) {
            step(content.getByte(i));
            if (matched == secret.length) {
                content.release();
                return Optional.empty();
            }
        }
        ByteBuf all = Unpooled.wrappedBuffer(Unpooled.copiedBuffer(secret, 0, held), content);
        if (end) {
            matched = 0;
        }
        return Optional.of(all.writerIndex(all.writerIndex() - matched));
    }

    private void step(byte next) {
        while (matched > 0 && secret[matched] != next) {
            matched = fallback[matched - 1];
        }
        matched += secret[matched] == next ? 1 : 0;
    }
}
