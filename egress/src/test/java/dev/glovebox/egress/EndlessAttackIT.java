package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// B15, B16: bodies, heads, chunks and trailers without an end, and ends that stand still. What
/// this process holds does not grow with what passes, and a neighbour hardly notices.
@SuppressWarnings("StringConcatToTextBlock") // a text block has no CRLF
class EndlessAttackIT {
    private static final String SECRET = "sk-hush-0123456789";
    private static final long GIBI = 1024 * Neighbour.MEBI;
    private static final DoorLimits LIMITS =
            new DoorLimits(
                    256,
                    Duration.ofSeconds(10),
                    Duration.ofSeconds(10),
                    Duration.ofSeconds(2),
                    32 * 1024,
                    1024,
                    256,
                    Duration.ofSeconds(30));

    @TempDir Path directory;
    private final AtomicLong taken = new AtomicLong();
    private final Semaphore ended = new Semaphore(0);
    private DoorRig rig;
    private RawServer server;
    private RawServer secure;
    private Door door;
    private Neighbour neighbour;

    @BeforeEach
    void open() throws Exception {
        rig = DoorRig.limited(directory, LIMITS);
        server = new RawServer(this::serve);
        secure =
                new RawServer(
                        rig.internet().vouch("good.test").context().getServerSocketFactory(),
                        this::serve);
        String policy =
                """
                rules:
                  - {name: plain, host: good.test, protocol: http, action: allow, connect: "127.0.0.1:%1$d"}
                  - {name: key, host: good.test, port: 81, protocol: http, action: allow, connect: "127.0.0.1:%1$d",
                     credential: key, insecure-credential: true}
                  - {name: holder, host: good.test, port: 82, protocol: http, action: allow, connect: "127.0.0.1:%1$d",
                     credential: holder, insecure-credential: true}
                  - {name: secure, host: good.test, protocol: https, action: allow, connect: "127.0.0.1:%2$d"}
                credentials:
                  - {name: key, header: X-Key, format: "{}", source: {file: %3$s}}
                  - {name: holder, placeholder: {value: glovebox-3f9c2a7b5d1e4860a9b7, bodies: true}, source: {file: %3$s}}
                """
                        .formatted(server.port(), secure.port(), rig.secret("key", SECRET));
        door = rig.open("one", policy);
        neighbour = new Neighbour(rig.open("two", policy), "good.test");
    }

    @AfterEach
    void close() throws Exception {
        rig.close();
        server.close();
        secure.close();
    }

    private void serve(RawServer.Talk talk) throws IOException {
        try {
            String head = talk.head();
            String path = head.isEmpty() ? "" : head.split(" ", 3)[1];
            String ok = "HTTP/1.1 200 OK\r\n";
            switch (path) {
                case "/body" -> {
                    talk.say(ok + "\r\n");
                    endless(talk.out(), new byte[1 << 20]);
                }
                case "/head" -> {
                    talk.say(ok);
                    endless(
                            talk.out(),
                            ("X: " + "a".repeat(1000) + "\r\n")
                                    .repeat(100)
                                    .getBytes(StandardCharsets.US_ASCII));
                }
                case "/line" ->
                        endless(
                                talk.out(),
                                "HTTP/1.1 200 ".repeat(100).getBytes(StandardCharsets.US_ASCII));
                case "/hints" ->
                        endless(
                                talk.out(),
                                "HTTP/1.1 103 E\r\nLink: <a>\r\n\r\n"
                                        .repeat(100)
                                        .getBytes(StandardCharsets.US_ASCII));
                case "/extension" -> {
                    talk.say(ok + "Transfer-Encoding: chunked\r\n\r\n1;");
                    endless(talk.out(), "a=b;".repeat(1000).getBytes(StandardCharsets.US_ASCII));
                }
                case "/trailers" -> {
                    talk.say(ok + "Transfer-Encoding: chunked\r\n\r\n0\r\n");
                    endless(
                            talk.out(),
                            "X: a\r\n".repeat(1000).getBytes(StandardCharsets.US_ASCII));
                }
                case "/stalls" -> {
                    talk.say(ok + "Content-Length: 1000\r\n\r\nsome");
                    talk.rest();
                }
                case "/n" -> talk.answer("", "n");
                default -> {
                    byte[] buffer = new byte[1 << 16];
                    int length;
                    while ((length = talk.in().read(buffer)) > 0) {
                        taken.addAndGet(length);
                    }
                }
            }
        } finally {
            ended.release();
        }
    }

    private static void endless(OutputStream out, byte[] block) throws IOException {
        while (true) {
            out.write(block);
        }
    }

    private Socket asked(int port, String request) throws Exception {
        Socket socket =
                port == 443
                        ? rig.tls(door, "good.test", 443, "http/1.1")
                        : rig.connect(door, "good.test", port);
        String host = "HTTP/1.1\r\nHost: good.test" + (port == 80 || port == 443 ? "" : ":" + port);
        socket.getOutputStream()
                .write(request.replace("HOST", host).getBytes(StandardCharsets.US_ASCII));
        return socket;
    }

    /// Reads, looking now and then at what this process holds.
    ///
    /// @return the most it held more than before
    private static long read(InputStream in, long bytes) throws IOException {
        long before = Neighbour.memory();
        long most = 0;
        byte[] buffer = new byte[1 << 16];
        long read = 0;
        for (long next = bytes / 4; read < bytes; next += bytes / 4) {
            while (read < next) {
                int length = in.read(buffer);
                if (length < 0) {
                    throw new IOException("ended after " + read);
                }
                read += length;
            }
            most = Math.max(most, Neighbour.memory() - before);
        }
        return most;
    }

    @Test
    void answerWithoutAnEnd_passesInConstantMemory() throws Exception {
        for (int port : new int[] {80, 81, 443}) {
            try (Socket socket = asked(port, "GET /body HOST\r\n\r\n")) {
                assertThat(read(socket.getInputStream(), port == 80 ? GIBI : GIBI / 4))
                        .as("port %d", port)
                        .isLessThan(32 * Neighbour.MEBI);
                neighbour.hardlyNotices();
            }
        }
    }

    @Test
    void requestWithoutAnEnd_passesInConstantMemory() throws Exception {
        for (int port : new int[] {80, 81, 82, 443}) {
            long size = port == 80 ? GIBI : GIBI / 4;
            taken.set(0);
            long before = Neighbour.memory();
            try (Socket socket =
                    asked(port, "POST /take HOST\r\nContent-Length: " + size + "\r\n\r\n")) {
                byte[] block = new byte[1 << 20];
                for (long sent = 0; sent < size; sent += block.length) {
                    socket.getOutputStream().write(block);
                }
                assertThat(Neighbour.memory() - before)
                        .as("port %d", port)
                        .isLessThan(32 * Neighbour.MEBI);
                await().untilAsserted(() -> assertThat(taken).as("port %d", port).hasValue(size));
            }
            neighbour.hardlyNotices();
        }
    }

    private void cut(String name, Map<String, String> requests, byte[] more) throws Exception {
        for (int port : new int[] {80, 81, 443}) {
            for (Map.Entry<String, String> each : requests.entrySet()) {
                long before = Neighbour.memory();
                long sent = 0;
                try (Socket socket = asked(port, each.getValue())) {
                    while (sent < GIBI) {
                        socket.getOutputStream().write(more);
                        sent += more.length;
                    }
                } catch (IOException e) {
                    // cut, as it should be
                }
                assertThat(sent)
                        .as("%s %s at %d", name, each.getKey(), port)
                        .isLessThan(64 * Neighbour.MEBI);
                assertThat(Neighbour.memory() - before).isLessThan(32 * Neighbour.MEBI);
            }
        }
        neighbour.hardlyNotices();
    }

    @Test
    void requestWhoseFramingHasNoEnd_isCut() throws Exception {
        String chunked = "POST /take HOST\r\nTransfer-Encoding: chunked\r\n\r\n";
        Map<String, String> all = new LinkedHashMap<>();
        all.put("line", "GET /");
        all.put("name of a header", "GET /x HOST\r\n");
        all.put("chunk extension", chunked + "1;");
        all.put("chunk size", chunked + "0");
        all.put("trailer", chunked + "1\r\na\r\n0\r\nX: ");
        cut("one line", all, "0".repeat(8_000).getBytes(StandardCharsets.US_ASCII));
        all.clear();
        all.put("headers", "GET /x HOST\r\n");
        all.put("trailers", chunked + "1\r\na\r\n0\r\n");
        cut("short lines", all, "X: a\r\n".repeat(1000).getBytes(StandardCharsets.US_ASCII));
        assertThat(server.heads()).noneMatch(head -> head.startsWith("GET /x"));
    }

    @Test
    void answerWhoseFramingHasNoEnd_isCutAndNotHeld() throws Exception {
        for (int port : new int[] {80, 81, 443}) {
            for (String path : List.of("/head", "/line", "/extension", "/trailers")) {
                long before = Neighbour.memory();
                try (Socket socket = asked(port, "GET " + path + " HOST\r\n\r\n")) {
                    boolean begun = path.equals("/extension") || path.equals("/trailers");
                    assertThat(Client.rest(socket))
                            .as("%s at %d", path, port)
                            .startsWith(begun ? "HTTP/1.1 200" : "HTTP/1.1 502")
                            .doesNotContain("[nothing more]", "\r\n0\r\n\r\n");
                }
                assertThat(Neighbour.memory() - before).as(path).isLessThan(32 * Neighbour.MEBI);
            }
            try (Socket socket = asked(port, "GET /hints HOST\r\n\r\n")) {
                assertThat(read(socket.getInputStream(), Neighbour.MEBI))
                        .isLessThan(32 * Neighbour.MEBI);
            }
        }
        neighbour.hardlyNotices();
    }

    /// Neither a server nor a client that stands still keeps its connection, nor what it would not
    /// take.
    @Test
    void endThatStandsStill_isCutAtTheIdleLimit() throws Exception {
        for (int port : new int[] {80, 443}) {
            Instant start = Instant.now();
            try (Socket socket = asked(port, "GET /stalls HOST\r\n\r\n")) {
                socket.setSoTimeout(20_000);
                assertThat(Client.rest(socket))
                        .as("server at %d", port)
                        .contains("some")
                        .doesNotContain("[nothing more]");
            }
            assertThat(Duration.between(start, Instant.now())).isLessThan(Duration.ofSeconds(15));
            long before = Neighbour.memory();
            ended.drainPermits();
            try (Socket socket = asked(port, "GET /body HOST\r\n\r\n")) {
                assertThat(socket.getInputStream().read()).isEqualTo('H');
                assertThat(ended.tryAcquire(20, TimeUnit.SECONDS))
                        .as("client at %d, its server is let go", port)
                        .isTrue();
                assertThat(Neighbour.memory() - before).isLessThan(32 * Neighbour.MEBI);
            }
        }
        long before = Neighbour.memory();
        ended.drainPermits();
        try (Http2Frames client = new Http2Frames(rig.tls(door, "good.test", 443, "h2"))) {
            for (int stream = 1; stream < 100; stream += 2) {
                client.request(stream, true, Http2Frames.get("good.test", "/body"));
            }
            assertThat(ended.tryAcquire(50, 20, TimeUnit.SECONDS))
                    .as("50 streams nobody takes")
                    .isTrue();
            assertThat(Neighbour.memory() - before).isLessThan(64 * Neighbour.MEBI);
        }
        neighbour.hardlyNotices();
    }
}
