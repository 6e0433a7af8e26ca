package dev.glovebox.egress.postgres;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/// The first packet of a PostgreSQL client, before any message has a type (PostgreSQL 15, §55.7).
sealed interface StartupPacket {
    /// `MAX_STARTUP_PACKET_LENGTH` of the server.
    int MAX_BYTES = 10_000;

    /// Asks whether the connection can be encrypted, with TLS or GSSAPI.
    record Encryption() implements StartupPacket {}

    /// Asks to stop what another connection is doing.
    ///
    /// @param key process id and secret of that connection, in hex
    record Cancel(String key) implements StartupPacket {}

    /// Asks for a session.
    ///
    /// @param version protocol version, major in the upper half
    /// @param parameters in the order sent, `user` among them
    record Startup(int version, Map<String, String> parameters) implements StartupPacket {}

    /// Not all of it has come.
    record Incomplete() implements StartupPacket {}

    /// No such packet.
    record Malformed(String reason) implements StartupPacket {}

    int CANCEL = 80877102;
    int SSL = 80877103;
    int GSS = 80877104;

    /// Takes one packet out of the buffer, or nothing if it is not complete.
    static StartupPacket take(ByteBuf in) {
        if (in.readableBytes() < 4) {
            return new Incomplete();
        }
        int length = in.getInt(in.readerIndex());
        if (length < 8 || length > MAX_BYTES) {
            return new Malformed("the startup packet claims " + length + " bytes");
        }
        if (in.readableBytes() < length) {
            return new Incomplete();
        }
        ByteBuf packet = in.readSlice(length).skipBytes(4);
        int code = packet.readInt();
        return switch (code) {
            case SSL, GSS ->
                    packet.isReadable()
                            ? new Malformed("the request for encryption is too long")
                            : new Encryption();
            case CANCEL ->
                    packet.readableBytes() < 8
                            ? new Malformed("the cancel request is too short")
                            : new Cancel(ByteBufUtil.hexDump(packet));
            default ->
                    code >>> 16 == 3
                            ? startup(code, packet)
                            : new Malformed("protocol version " + (code >>> 16) + " is not 3");
        };
    }

    private static StartupPacket startup(int version, ByteBuf packet) {
        Map<String, String> parameters = new LinkedHashMap<>();
        try {
            String name = text(packet);
            while (!name.isEmpty()) {
                if (parameters.put(name, text(packet)) != null) {
                    return new Malformed("the startup packet names a parameter twice");
                }
                name = text(packet);
            }
        } catch (CharacterCodingException e) {
            return new Malformed("the startup packet is not zero-ended UTF-8");
        }
        if (packet.isReadable() || parameters.getOrDefault("user", "").isEmpty()) {
            return new Malformed("the startup packet names no user or goes on after its end");
        }
        return new Startup(version, parameters);
    }

    private static String text(ByteBuf packet) throws CharacterCodingException {
        int length = packet.bytesBefore((byte) 0);
        if (length < 0) {
            throw new CharacterCodingException();
        }
        ByteBuffer bytes = packet.nioBuffer(packet.readerIndex(), length);
        packet.skipBytes(length + 1);
        return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
    }
}
