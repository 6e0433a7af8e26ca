package dev.glovebox.egress.postgres;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/// The few messages that the door writes itself (PostgreSQL 15, §55.7).
final class Messages {
    private Messages() {}

    /// `N`: the connection cannot be encrypted.
    static ByteBuf noEncryption() {
        return Unpooled.buffer(1).writeByte('N');
    }

    /// Asks the server for TLS.
    static ByteBuf encryption() {
        return Unpooled.buffer(8).writeInt(8).writeInt(StartupPacket.SSL);
    }

    /// The end of the connection with a reason.
    ///
    /// @param code SQLSTATE
    static ByteBuf error(String code, String reason) {
        ByteBuf body = Unpooled.buffer();
        field(body, 'S', "FATAL");
        field(body, 'V', "FATAL");
        field(body, 'C', code);
        field(body, 'M', reason);
        return message('E', body.writeByte(0));
    }

    private static void field(ByteBuf body, char type, String value) {
        body.writeByte(type);
        text(body, value);
    }

    static ByteBuf startup(int version, Map<String, String> parameters) {
        ByteBuf packet = Unpooled.buffer().writeInt(0).writeInt(version);
        parameters.forEach((name, value) -> {
            text(packet, name);
            text(packet, value);
        });
        packet.writeByte(0);
        return packet.setInt(0, packet.readableBytes());
    }

    static ByteBuf authenticationOk() {
        return message('R', Unpooled.buffer(4).writeInt(0));
    }

    static ByteBuf password(String value) {
        ByteBuf body = Unpooled.buffer();
        text(body, value);
        return message('p', body);
    }

    static ByteBuf saslInitial(String mechanism, String first) {
        byte[] bytes = first.getBytes(StandardCharsets.UTF_8);
        ByteBuf body = Unpooled.buffer();
        text(body, mechanism);
        return message('p', body.writeInt(bytes.length).writeBytes(bytes));
    }

    static ByteBuf saslResponse(String response) {
        return message('p', Unpooled.wrappedBuffer(response.getBytes(StandardCharsets.UTF_8)));
    }

    static ByteBuf message(char type, ByteBuf body) {
        return Unpooled.buffer(5 + body.readableBytes())
                .writeByte(type)
                .writeInt(4 + body.readableBytes())
                .writeBytes(body);
    }

    private static void text(ByteBuf body, String value) {
        body.writeBytes(value.getBytes(StandardCharsets.UTF_8)).writeByte(0);
    }
}
