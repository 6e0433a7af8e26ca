package dev.glovebox.egress.wire;

import dev.glovebox.protocol.egress.Host;
import dev.glovebox.protocol.egress.HostName;
import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/// What a TLS client says first, as far as it tells where it wants to go (RFC 8446 §4.1.2, RFC 6066
/// §3).
///
/// Reads the same whether the hello comes in one piece, one byte at a time, or cut into many
/// records. Strict: a length that does not fit, a second server name, or bytes behind the last
/// extension are no ClientHello.
public sealed interface ClientHello {
    /// Longest hello that is looked at, records included.
    int MAX_BYTES = 16 * 1024;

    /// More bytes are needed.
    record Incomplete() implements ClientHello {}

    /// These bytes never become a ClientHello.
    ///
    /// @param reason one line for people
    record Malformed(String reason) implements ClientHello {}

    /// A whole hello.
    ///
    /// @param serverName the name in `server_name`, as spelled
    /// @param encrypted whether there is an `encrypted_client_hello`, which may mean another name
    record Complete(Optional<String> serverName, boolean encrypted) implements ClientHello {
        /// Why the hello may not pass to the host unread; empty if it may.
        public Optional<String> faultFor(Host host) {
            if (encrypted) {
                return Optional.of("the ClientHello may hide another name (ECH)");
            }
            if (host instanceof HostName && serverName.isEmpty()) {
                return Optional.of("the ClientHello names no host (SNI)");
            }
            return misnamed(host);
        }

        /// Why the hello does not mean the host; empty if it does, or names nobody.
        public Optional<String> misnamed(Host host) {
            if (!(host instanceof HostName)) {
                return serverName.map(_ -> "the ClientHello names a host, the rule an address");
            }
            return serverName.isEmpty()
                            || serverName
                                    .flatMap(HostName::tryParse)
                                    .filter(host::equals)
                                    .isPresent()
                    ? Optional.empty()
                    : Optional.of("the ClientHello names another host (SNI)");
        }
    }

    /// Reads the bytes that have arrived so far, without moving the buffer's indices.
    static ClientHello read(ByteBuf bytes) {
        ByteBuffer handshake = ByteBuffer.allocate(bytes.readableBytes());
        int at = bytes.readerIndex();
        int end = Math.min(bytes.writerIndex(), at + MAX_BYTES);
        while (at < end) {
            if (bytes.getByte(at) != 22 || (end - at > 1 && bytes.getByte(at + 1) != 3)) {
                return new Malformed("the first bytes are not TLS");
            }
            if (end - at < 5) {
                break;
            }
            int length = bytes.getUnsignedShort(at + 3);
            if (length == 0 || length > 1 << 14) {
                return new Malformed("a TLS record has an impossible length");
            }
            int there = Math.min(length, end - at - 5);
            bytes.getBytes(at + 5, handshake.slice(handshake.position(), there));
            handshake.position(handshake.position() + there);
            if (isWhole(handshake)) {
                return parse(handshake.flip());
            }
            at += 5 + length;
        }
        return bytes.readableBytes() >= MAX_BYTES
                ? new Malformed("the ClientHello is longer than " + MAX_BYTES + " bytes")
                : new Incomplete();
    }

    private static boolean isWhole(ByteBuffer handshake) {
        return handshake.position() >= 4
                && (handshake.get(0) != 1
                        || handshake.position() >= 4 + (handshake.getInt(0) & 0xffffff));
    }

    private static ClientHello parse(ByteBuffer in) {
        if (in.get(0) != 1) {
            return new Malformed("the first TLS message is not a ClientHello");
        }
        int length = in.getInt() & 0xffffff;
        try {
            return body(in.slice(in.position(), length));
        } catch (IllegalArgumentException | java.nio.BufferUnderflowException e) {
            return new Malformed("the ClientHello is malformed");
        }
    }

    private static ClientHello body(ByteBuffer hello) {
        hello.position(2 + 32);
        skip(hello, hello.get() & 0xff);
        skip(hello, hello.getShort() & 0xffff);
        skip(hello, hello.get() & 0xff);
        Optional<String> name = Optional.empty();
        boolean encrypted = false;
        if (hello.hasRemaining()) {
            ByteBuffer extensions = part(hello, hello.getShort() & 0xffff);
            if (hello.hasRemaining()) {
                return new Malformed("there are bytes behind the extensions");
            }
            while (extensions.hasRemaining()) {
                int type = extensions.getShort() & 0xffff;
                ByteBuffer extension = part(extensions, extensions.getShort() & 0xffff);
                encrypted |= type == 0xfe0d;
                if (type == 0) {
                    if (name.isPresent()) {
                        return new Malformed("there are two server names");
                    }
                    name = Optional.of(serverName(extension));
                }
            }
        }
        return new Complete(name, encrypted);
    }

    private static String serverName(ByteBuffer extension) {
        ByteBuffer list = part(extension, extension.getShort() & 0xffff);
        byte type = list.get();
        ByteBuffer name = part(list, list.getShort() & 0xffff);
        if (type != 0 || list.hasRemaining() || extension.hasRemaining()) {
            throw new IllegalArgumentException("not exactly one host name");
        }
        return StandardCharsets.ISO_8859_1.decode(name).toString();
    }

    private static ByteBuffer part(ByteBuffer in, int length) {
        ByteBuffer part = in.slice(in.position(), checked(in, length));
        in.position(in.position() + length);
        return part;
    }

    private static void skip(ByteBuffer in, int length) {
        in.position(in.position() + checked(in, length));
    }

    private static int checked(ByteBuffer in, int length) {
        if (length > in.remaining()) {
            throw new IllegalArgumentException("a length that does not fit");
        }
        return length;
    }
}
