package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.ConnectException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Sockets that live in a door's namespace, held by the test: for attacks that no program sends.
final class Client {
    private static final int TIMEOUT_MILLIS = 5_000;
    private static final Pattern LENGTH = Pattern.compile("(?i)\r\ncontent-length: ([0-9]+)\r\n");

    private final Door door;

    Client(Door door) {
        this.door = door;
    }

    Socket connect(String address, int port) {
        return connect(InetAddress.ofLiteral(address), port);
    }

    /// A socket that the door has reset by the time it is connected is returned as well: who reads
    /// from it is told.
    Socket connect(InetAddress address, int port) {
        return door.namespace()
                .enter(() -> {
                    Socket socket = new Socket();
                    socket.setSoTimeout(TIMEOUT_MILLIS);
                    try {
                        socket.connect(new InetSocketAddress(address, port), TIMEOUT_MILLIS);
                    } catch (ConnectException e) {
                        throw e;
                    } catch (SocketException e) {
                        assertThat(e).hasMessageContaining("reset");
                    }
                    return socket;
                });
    }

    /// Sends the text and reads to the end; a reset ends it too.
    String say(String address, int port, String text) throws IOException {
        try (Socket socket = connect(address, port)) {
            socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
            return rest(socket);
        }
    }

    /// One response of HTTP/1.1 that says its length, or what comes before the end.
    static String response(Socket socket) throws IOException {
        StringBuilder read = new StringBuilder();
        int next = 0;
        while (read.indexOf("\r\n\r\n") < 0 && (next = socket.getInputStream().read()) >= 0) {
            read.append((char) next);
        }
        Matcher length = LENGTH.matcher(read);
        if (next >= 0 && length.find()) {
            byte[] body = socket.getInputStream().readNBytes(Integer.parseInt(length.group(1)));
            read.append(new String(body, StandardCharsets.ISO_8859_1));
        }
        return read.toString();
    }

    static String rest(Socket socket) throws IOException {
        StringBuilder read = new StringBuilder();
        byte[] buffer = new byte[8192];
        try {
            int length;
            while ((length = socket.getInputStream().read(buffer)) > 0) {
                read.append(new String(buffer, 0, length, StandardCharsets.ISO_8859_1));
            }
        } catch (SocketTimeoutException e) {
            read.append("[nothing more]");
        } catch (SocketException e) {
            read.append("[reset]");
        }
        return read.toString();
    }

    /// One datagram there and one back; the answer must come from where it was sent to.
    Optional<byte[]> ask(String server, byte[] query) {
        return door.namespace()
                .enter(() -> {
                    try (DatagramSocket socket = new DatagramSocket()) {
                        socket.setSoTimeout(TIMEOUT_MILLIS);
                        socket.connect(InetAddress.ofLiteral(server), 53);
                        socket.send(new DatagramPacket(query, query.length));
                        byte[] room = new byte[4096];
                        DatagramPacket answer = new DatagramPacket(room, room.length);
                        socket.receive(answer);
                        return Optional.of(Arrays.copyOf(room, answer.getLength()));
                    } catch (java.net.PortUnreachableException e) {
                        return Optional.empty();
                    }
                });
    }
}
