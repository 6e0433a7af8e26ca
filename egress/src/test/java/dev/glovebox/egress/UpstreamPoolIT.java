package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.egress.EgressPolicy;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Connections to servers serve one request after another.
class UpstreamPoolIT {
    private static final int CLIENTS = 48;
    private static final int ROUNDS = 8;
    private static final String GOOD = "203.0.113.7";

    @TempDir Path directory;
    private FakeWeb web;
    private Doors doors;
    private Client client;

    @BeforeEach
    void open() throws Exception {
        web = new FakeWeb();
        doors = Doors.open(EgressConfig.at(directory.resolve("doors")));
        Door door =
                doors.open(
                        "one",
                        EgressPolicy.parse(
                                "rules: [{name: web, host: "
                                        + GOOD
                                        + ", protocol: http, action: allow, connect: '127.0.0.1:"
                                        + web.port()
                                        + "'}]"));
        client = new Client(door);
    }

    @AfterEach
    void close() {
        doors.close();
        web.close();
    }

    @Test
    void manyClientsAtOnce_needNoMoreConnectionsThanThereAreClients() throws Exception {
        List<Socket> sockets = new ArrayList<>();
        try {
            for (int i = 0; i < CLIENTS; i++) {
                sockets.add(client.connect(GOOD, 80));
            }
            for (int round = 0; round < ROUNDS; round++) {
                for (Socket socket : sockets) {
                    ask(socket);
                }
                for (Socket socket : sockets) {
                    answer(socket);
                }
            }
        } finally {
            for (Socket socket : sockets) {
                socket.close();
            }
        }
        assertThat(web.seen()).hasSize(CLIENTS * ROUNDS);
        assertThat(web.ports()).hasSizeBetween(1, CLIENTS);
    }

    private static void ask(Socket socket) throws IOException {
        socket.getOutputStream()
                .write(
                        ("GET /ok HTTP/1.1\r\nHost: " + GOOD + "\r\n\r\n")
                                .getBytes(StandardCharsets.US_ASCII));
    }

    private static void answer(Socket socket) throws IOException {
        String end = "GET /ok " + GOOD;
        StringBuilder answer = new StringBuilder();
        InputStream in = socket.getInputStream();
        while (answer.indexOf(end) < 0) {
            int next = in.read();
            assertThat(next).as("the answer ends with: %s", answer).isNotNegative();
            answer.append((char) next);
        }
        assertThat(answer.toString()).startsWith("HTTP/1.1 200");
    }
}
