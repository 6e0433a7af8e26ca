package dev.glovebox.egress;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;

/// A client of a door as a proxy, byte by byte: for what no program sends. All text is ISO 8859-1.
final class ProxyClient {
    static final String ADDRESS = "198.18.0.1";
    static final String HTTP = "http://proxy.glovebox.internal:3128";
    static final String SOCKS = "socks5h://proxy.glovebox.internal:1080";
    static final String SOCKS_ADDRESS = "socks5://proxy.glovebox.internal:1080";

    private static final int HTTP_PORT = 3128;
    private static final int SOCKS_PORT = 1080;

    private final Client client;

    ProxyClient(Door door) {
        client = new Client(door);
    }

    Socket http(String said) throws IOException {
        return saying(HTTP_PORT, bytes(said));
    }

    Socket socks(byte[] said) throws IOException {
        return saying(SOCKS_PORT, said);
    }

    private Socket saying(int port, byte[] said) throws IOException {
        Socket socket = client.connect(ADDRESS, port);
        try {
            socket.getOutputStream().write(said);
        } catch (SocketException e) {
            // the door has heard enough already
        }
        return socket;
    }

    /// The whole answer to an HTTP request, to the end of the connection.
    String answer(String said) throws IOException {
        try (Socket socket = http(said)) {
            return Client.rest(socket);
        }
    }

    /// The head of a CONNECT.
    static String connect(String target) {
        return "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n\r\n";
    }

    /// A tunnel, after the answer that there is one.
    Socket tunnel(String target) throws IOException {
        Socket socket = http(connect(target));
        String head = head(socket);
        if (!head.startsWith("HTTP/1.1 200 ")) {
            throw new IOException(head);
        }
        return socket;
    }

    /// The head of an answer and nothing behind it.
    static String head(Socket socket) throws IOException {
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            int next = socket.getInputStream().read();
            if (next < 0) {
                return head.toString();
            }
            head.append((char) next);
        }
        return head.toString();
    }

    /// Greeting and request for a name, all at once.
    static byte[] byName(String name, int port) {
        byte[] text = bytes(name);
        return request(3, concat(new byte[] {(byte) text.length}, text), port);
    }

    /// Greeting and request for an address, all at once.
    static byte[] byAddress(String address, int port) {
        byte[] bytes = InetAddress.ofLiteral(address).getAddress();
        return request(bytes.length == 4 ? 1 : 4, bytes, port);
    }

    private static byte[] request(int type, byte[] address, int port) {
        return concat(
                new byte[] {5, 1, 0, 5, 1, 0, (byte) type},
                address,
                new byte[] {(byte) (port >> 8), (byte) port});
    }

    static byte[] concat(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    /// The code of the reply to a greeting and a request that were sent; -1 if there is none.
    static int reply(Socket socket) throws IOException {
        byte[] reply = new byte[12];
        try {
            new DataInputStream(socket.getInputStream()).readFully(reply);
        } catch (EOFException | SocketException e) {
            return -1;
        }
        return reply[0] == 5 && reply[1] == 0 && reply[2] == 5 ? reply[3] : -1;
    }

    int socksReply(byte[] said) throws IOException {
        try (Socket socket = socks(said)) {
            return reply(socket);
        }
    }
}
