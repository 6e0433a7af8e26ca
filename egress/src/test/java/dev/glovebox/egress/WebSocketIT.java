package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.egress.EgressPolicy;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// D22, D24: web sockets, by Python's client and server, in the clear and in TLS; and ways to have
/// a connection taken for one so that what follows is not judged.
@SuppressWarnings("StringConcatToTextBlock") // a text block has no CRLF
class WebSocketIT {
    private static final String SECRET = "sk-hush-0123456789";

    /// Echoes, after a first message that says what it was asked with.
    private static final String SERVER =
            """
            import asyncio, ssl, sys, websockets
            async def serve(socket):
                await socket.send(repr(list(socket.request_headers.raw_items())))
                async for message in socket:
                    await socket.send(message)
            async def main():
                tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                tls.load_cert_chain(sys.argv[3], sys.argv[4])
                async with websockets.serve(serve, "127.0.0.1", int(sys.argv[1]), max_size=None):
                    async with websockets.serve(serve, "127.0.0.1", int(sys.argv[2]), ssl=tls, max_size=None):
                        await asyncio.Future()
            asyncio.run(main())
            """;

    /// Says what it hears to a text, to a mebibyte and to a ping, then stays until it is cut.
    private static final String CLIENT =
            """
            import asyncio, ssl, sys, websockets
            async def main():
                tls = ssl.create_default_context(cafile=sys.argv[2]) if sys.argv[1].startswith("wss") else None
                async with websockets.connect(sys.argv[1], ssl=tls, max_size=None, ping_interval=None, compression=None) as socket:
                    print(await socket.recv(), flush=True)
                    await socket.send("hello")
                    print(await socket.recv(), flush=True)
                    await socket.send(bytes(1 << 20))
                    print(len(await socket.recv()), flush=True)
                    await (await socket.ping())
                    print("stays", flush=True)
                    async for _ in socket:
                        pass
            try:
                asyncio.run(main())
            except Exception as e:
                print(type(e).__name__, e, flush=True)
            """;

    private static final String UPGRADE =
            "GET /chat HTTP/1.1\r\nHost: good.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                    + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

    @TempDir Path directory;
    private final List<Process> programs = new ArrayList<>();
    private DoorRig rig;
    private int clear;
    private int secure;
    private Path key;

    @BeforeEach
    void open() throws Exception {
        DoorLimits limits =
                new DoorLimits(
                        256,
                        Duration.ofSeconds(10),
                        Duration.ofSeconds(10),
                        Duration.ofSeconds(4),
                        32 * 1024,
                        1024,
                        256,
                        Duration.ofSeconds(30));
        rig = DoorRig.limited(directory, limits);
        key = rig.secret("key", SECRET);
    }

    private void serve() throws Exception {
        var identity = rig.internet().vouch("good.test");
        Path chain =
                Files.writeString(
                        directory.resolve("chain.pem"), Nginx.pem(identity.chain().toArray()));
        Path own =
                Files.writeString(
                        directory.resolve("own.pem"), Nginx.pem(identity.keys().getPrivate()));
        clear = Programs.freePort();
        secure = Programs.freePort();
        Process server =
                new ProcessBuilder(
                                "/usr/bin/python3",
                                "-c",
                                SERVER,
                                "" + clear,
                                "" + secure,
                                chain.toString(),
                                own.toString())
                        .redirectError(ProcessBuilder.Redirect.DISCARD)
                        .start();
        programs.add(server);
        Programs.awaitPort(server, secure);
    }

    @AfterEach
    void close() {
        programs.forEach(Process::destroyForcibly);
        rig.close();
    }

    private String policy(String terms) {
        return """
        rules:
          - {name: clear, host: good.test, protocol: http, action: allow, connect: "127.0.0.1:%d"%s}
          - {name: secure, host: good.test, protocol: https, action: allow, connect: "127.0.0.1:%d"%s, credential: key}
        credentials:
          - {name: key, header: X-Key, format: "{}", source: {file: %s}}
        """
                .formatted(clear, terms, secure, terms, key);
    }

    private BufferedReader chat(Door door, String url) throws Exception {
        Process client =
                rig.inside(door)
                        .start("/usr/bin/python3", "-c", CLIENT, url, rig.bundle(door).toString());
        programs.add(client);
        return client.inputReader(StandardCharsets.UTF_8);
    }

    private static void talks(String url, BufferedReader chat) throws IOException {
        String asked = chat.readLine();
        assertThat(asked).as(url).contains("'upgrade', 'websocket'", "good.test");
        assertThat(asked.contains(SECRET)).as(url).isEqualTo(url.startsWith("wss"));
        assertThat(List.of(chat.readLine(), chat.readLine(), chat.readLine()))
                .as(url)
                .containsExactly("hello", "1048576", "stays");
    }

    /// A web socket passes unread, so a server that repeats the credential in it is not heard by
    /// the door: what the first message says, arrives.
    @Test
    void webSocketThatIsAllowed_carriesMessagesBothWays_andIsCutWithItsRule() throws Exception {
        serve();
        Door door = rig.open("one", policy(", websocket: true"));
        List<BufferedReader> open = new ArrayList<>();
        for (String url : List.of("ws://good.test/chat", "wss://good.test/chat")) {
            BufferedReader chat = chat(door, url);
            talks(url, chat);
            open.add(chat);
        }
        Instant start = Instant.now();
        door.policy(EgressPolicy.parse(policy("")));
        for (BufferedReader chat : open) {
            assertThat(chat.readLine()).contains("ConnectionClosedError");
        }
        assertThat(Duration.between(start, Instant.now())).isLessThan(Duration.ofSeconds(1));
        for (String url : List.of("ws://good.test/chat", "wss://good.test/chat")) {
            assertThat(chat(door, url).readLine()).as(url).contains("InvalidStatusCode", "403");
        }
    }

    @Test
    void webSocketThatIsSilent_orHasSpentItsBudget_isCut() throws Exception {
        serve();
        Door silent = rig.open("one", policy(", websocket: true"));
        Door spent = rig.open("two", policy(", websocket: true, budget: {bytes: 1m, per: 1h}"));
        for (String url : List.of("ws://good.test/chat", "wss://good.test/chat")) {
            BufferedReader first = chat(silent, url);
            BufferedReader second = chat(spent, url);
            talks(url, first);
            second.readLine();
            assertThat(second.readLine()).isEqualTo("hello");
            assertThat(second.readLine())
                    .as("%s over its budget", url)
                    .contains("ConnectionClosed");
            assertThat(first.readLine()).as("%s silent", url).contains("ConnectionClosed");
        }
        assertThat(spent.denialsSince(Instant.EPOCH))
                .anyMatch(denial -> denial.reason().contains("spent"));
    }

    private Door door(RawServer server, String terms) {
        return rig.open(
                "raw",
                """
                rules:
                  - {name: clear, host: good.test, protocol: http, action: allow, connect: "127.0.0.1:%d", paths: ["/chat", "/ok"]%s}
                """
                        .formatted(server.port(), terms));
    }

    /// Sends each piece when the head of an answer to the one before has come.
    ///
    /// @return the heads, then what comes until the door ends the connection
    private String say(Door door, String... pieces) throws Exception {
        StringBuilder answers = new StringBuilder();
        try (Socket socket = rig.connect(door, "good.test", 80)) {
            for (String piece : pieces) {
                socket.getOutputStream().write(piece.getBytes(StandardCharsets.ISO_8859_1));
                answers.append(head(socket));
            }
            return answers + Client.rest(socket);
        }
    }

    private static String head(Socket socket) throws IOException {
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            int next = socket.getInputStream().read();
            if (next < 0) {
                return head + "[end]";
            }
            head.append((char) next);
        }
        return head.toString();
    }

    private String upgraded(Door door) throws Exception {
        try (Socket socket = rig.connect(door, "good.test", 80)) {
            socket.getOutputStream().write(UPGRADE.getBytes(StandardCharsets.US_ASCII));
            return head(socket);
        }
    }

    /// What a server does with an upgrade that fails, or that nobody asked for.
    private static RawServer server(String answer) throws IOException {
        return new RawServer(talk -> {
            for (String head = talk.head(); !head.isEmpty(); head = talk.head()) {
                talk.say(
                        head.contains("/chat")
                                ? answer
                                : "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            }
        });
    }

    @Test
    void upgradeThatTheServerRefuses_leavesAConnectionWhoseRequestsAreJudged() throws Exception {
        String forbidden = "GET /secret HTTP/1.1\r\nHost: good.test\r\n\r\n";
        String allowed = "GET /ok HTTP/1.1\r\nHost: good.test\r\n\r\n";
        for (String status : List.of("426 Upgrade Required", "200 OK", "400 Bad Request")) {
            try (RawServer server =
                    server(
                            "HTTP/1.1 "
                                    + status
                                    + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: 0\r\n\r\n")) {
                try (Door door = door(server, ", websocket: true")) {
                    assertThat(say(door, UPGRADE.replace("13", "99"), allowed + forbidden))
                            .as(status)
                            .startsWith("HTTP/1.1 " + status.substring(0, 3))
                            .contains("\r\n\r\nok", "HTTP/1.1 403");
                }
                assertThat(server.heads())
                        .as(status)
                        .hasSize(2)
                        .noneMatch(head -> head.contains("/secret"));
            }
        }
    }

    /// D22: a server, or one who got it to, that switches without having been asked.
    @Test
    void switchThatNobodyAskedFor_isNotPassedOn() throws Exception {
        String switching =
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\nConnection: Upgrade\r\n\r\n";
        try (RawServer server = server(switching)) {
            try (Door door = door(server, ", websocket: true")) {
                assertThat(upgraded(door)).as("positive control").startsWith("HTTP/1.1 101");
                for (String request :
                        List.of(
                                "GET /chat HTTP/1.1\r\nHost: good.test\r\n\r\n",
                                UPGRADE.replace("Upgrade: websocket", "Upgrade: h2c"),
                                UPGRADE.replace("Upgrade: websocket", "Upgrade: websocket, h2c"),
                                UPGRADE.replace("Connection: Upgrade", "Connection: X-Upgrade"),
                                UPGRADE.replace("GET", "POST")
                                        .replace("\r\n\r\n", "\r\nContent-Length: 0\r\n\r\n"))) {
                    assertThat(say(door, request)).as(request).startsWith("HTTP/1.1 502");
                }
                server.heads().clear();
                assertThat(say(door, UPGRADE + "GET /secret HTTP/1.1\r\nHost: good.test\r\n\r\n"))
                        .as("a request behind it, before the answer")
                        .doesNotContain(" 101 ");
                assertThat(server.heads()).noneMatch(head -> head.contains("/secret"));
            }
            try (Door door = door(server, "")) {
                assertThat(say(door, UPGRADE)).as("a rule without it").startsWith("HTTP/1.1 403");
            }
        }
    }
}
