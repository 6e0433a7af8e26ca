package dev.glovebox.egress;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;

/// A ClientHello of this JDK's, taken apart and put together again otherwise (RFC 8446 §4.1.2).
final class Hello {
    static final int SERVER_NAME = 0;
    static final int ENCRYPTED_HELLO = 0xfe0d;

    private final byte[] start;
    private final List<byte[]> extensions;

    /// @param start of the handshake message, up to its extensions
    /// @param extensions whole, each with its type and length
    private Hello(byte[] start, List<byte[]> extensions) {
        this.start = start;
        this.extensions = extensions;
    }

    /// @param name that it names; none if empty
    static Hello of(String name) throws Exception {
        SSLEngine engine = SSLContext.getDefault().createSSLEngine();
        engine.setUseClientMode(true);
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setServerNames(name.isEmpty() ? List.of() : List.of(new SNIHostName(name)));
        engine.setSSLParameters(parameters);
        engine.beginHandshake();
        ByteBuffer out = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
        engine.wrap(ByteBuffer.allocate(0), out);
        ByteBuffer message = out.flip().position(5).slice();
        int at = 4 + 2 + 32;
        at += 1 + message.get(at);
        at += 2 + message.getShort(at);
        at += 1 + message.get(at);
        byte[] start = new byte[at];
        message.get(start);
        message.getShort();
        List<byte[]> extensions = new ArrayList<>();
        while (message.hasRemaining()) {
            byte[] each = new byte[4 + message.getShort(message.position() + 2)];
            message.get(each);
            extensions.add(each);
        }
        return new Hello(start, extensions);
    }

    /// With one more extension, before all others: the last one may have to stay the last.
    Hello with(int type, byte... content) {
        List<byte[]> more = new ArrayList<>();
        more.add(
                ByteBuffer.allocate(4 + content.length)
                        .putShort((short) type)
                        .putShort((short) content.length)
                        .put(content)
                        .array());
        more.addAll(extensions);
        return new Hello(start, more);
    }

    /// The content of a `server_name` extension with these names.
    static byte[] names(String... names) {
        ByteArrayOutputStream list = new ByteArrayOutputStream();
        for (String name : names) {
            list.write(0);
            list.write(0);
            list.write(name.length());
            list.writeBytes(name.getBytes(java.nio.charset.StandardCharsets.ISO_8859_1));
        }
        byte[] all = list.toByteArray();
        return ByteBuffer.allocate(2 + all.length).putShort((short) all.length).put(all).array();
    }

    /// The handshake message.
    private byte[] message() {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        extensions.forEach(all::writeBytes);
        ByteBuffer message = ByteBuffer.allocate(start.length + 2 + all.size());
        message.put(start).putShort((short) all.size()).put(all.toByteArray());
        int length = message.capacity() - 4;
        return message.put(1, (byte) (length >> 16)).putShort(2, (short) length).array();
    }

    /// As records of at most so many bytes.
    byte[] records(int size) {
        byte[] message = message();
        ByteArrayOutputStream records = new ByteArrayOutputStream();
        for (int at = 0; at < message.length; at += size) {
            byte[] part = Arrays.copyOfRange(message, at, Math.min(message.length, at + size));
            records.writeBytes(
                    new byte[] {22, 3, 1, (byte) (part.length >> 8), (byte) part.length});
            records.writeBytes(part);
        }
        return records.toByteArray();
    }

    byte[] record() {
        return records(1 << 14);
    }
}
