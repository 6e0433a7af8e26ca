package dev.glovebox.egress.entry;

import dev.glovebox.protocol.egress.Host;
import dev.glovebox.protocol.egress.HostAddress;
import dev.glovebox.protocol.egress.PolicyException;
import io.netty.buffer.ByteBuf;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;

/// What a client of SOCKS 5 says, one message after the other (RFC 1928, RFC 1929). Pure.
///
/// A domain name is read by the strict grammar of [Host] alone, every byte of it: a name that two
/// readers could end at different places is none.
sealed interface SocksMessage {
    /// The one command there is.
    int CONNECT = 1;

    int ANY_FAILURE = 1;
    int NOT_ALLOWED = 2;
    int NO_SUCH_COMMAND = 7;
    int NO_SUCH_ADDRESS_TYPE = 8;

    int NO_LOGIN = 0;
    int PASSWORD = 2;

    /// More bytes are needed.
    record Incomplete() implements SocksMessage {}

    /// These bytes never become SOCKS 5.
    record Malformed() implements SocksMessage {}

    /// SOCKS 4 or 4a.
    record Old() implements SocksMessage {}

    /// What ways to log in the client offers.
    record Greeting(boolean none, boolean password) implements SocksMessage {}

    /// A name and a password, which nobody looks at.
    record Login() implements SocksMessage {}

    /// A destination.
    ///
    /// @param port 1-65535
    record Request(Host host, int port) implements SocksMessage {}

    /// A request that is not served.
    ///
    /// @param code of the reply
    /// @param reason one line for people
    record Refused(int code, String reason) implements SocksMessage {}

    /// Reads the first message; moves past it when it is complete.
    static SocksMessage greeting(ByteBuf in) {
        int at = in.readerIndex();
        if (in.isReadable() && in.getByte(at) != 5) {
            return in.getByte(at) == 4 ? new Old() : new Malformed();
        }
        if (in.readableBytes() < 2 || in.readableBytes() < 2 + in.getUnsignedByte(at + 1)) {
            return new Incomplete();
        }
        boolean none = false;
        boolean password = false;
        for (int i = 0; i < in.getUnsignedByte(at + 1); i++) {
            none |= in.getByte(at + 2 + i) == NO_LOGIN;
            password |= in.getByte(at + 2 + i) == PASSWORD;
        }
        in.skipBytes(2 + in.getUnsignedByte(at + 1));
        return new Greeting(none, password);
    }

    /// Reads a name and a password; moves past them when they are complete.
    static SocksMessage login(ByteBuf in) {
        int at = in.readerIndex();
        if (in.isReadable() && in.getByte(at) != 1) {
            return new Malformed();
        }
        int length = 2;
        for (int part = 0; part < 2; part++) {
            if (in.readableBytes() < length) {
                return new Incomplete();
            }
            length += in.getUnsignedByte(at + length - 1) + (part == 0 ? 1 : 0);
        }
        if (in.readableBytes() < length) {
            return new Incomplete();
        }
        in.skipBytes(length);
        return new Login();
    }

    /// Reads the destination; moves past it when it is complete.
    static SocksMessage request(ByteBuf in) {
        int at = in.readerIndex();
        if (in.isReadable() && in.getByte(at) != 5) {
            return new Malformed();
        }
        if (in.readableBytes() < 5) {
            return new Incomplete();
        }
        if (in.getByte(at + 1) != CONNECT) {
            return new Refused(NO_SUCH_COMMAND, "the SOCKS command is not CONNECT");
        }
        if (in.getByte(at + 2) != 0) {
            return new Refused(ANY_FAILURE, "the reserved byte of the SOCKS request is not 0");
        }
        int start = in.getByte(at + 3) == 3 ? 5 : 4;
        int length;
        switch (in.getByte(at + 3)) {
            case 1 -> length = 4;
            case 3 -> length = in.getUnsignedByte(at + 4);
            case 4 -> length = 16;
            default -> {
                return new Refused(NO_SUCH_ADDRESS_TYPE, "the SOCKS address type is unknown");
            }
        }
        if (in.readableBytes() < start + length + 2) {
            return new Incomplete();
        }
        byte[] address = new byte[length];
        in.getBytes(at + start, address);
        int port = in.getUnsignedShort(at + start + length);
        in.skipBytes(start + length + 2);
        return destination(start == 5, address, port);
    }

    private static SocksMessage destination(boolean name, byte[] address, int port) {
        if (port == 0) {
            return new Refused(NOT_ALLOWED, "the port is 0");
        }
        try {
            return new Request(
                    name
                            ? Host.parse(new String(address, StandardCharsets.ISO_8859_1))
                            : new HostAddress(InetAddress.getByAddress(address)),
                    port);
        } catch (PolicyException e) {
            return new Refused(NOT_ALLOWED, e.problems().getFirst());
        } catch (UnknownHostException e) {
            throw new IllegalStateException("four or sixteen bytes are an address", e);
        }
    }
}
