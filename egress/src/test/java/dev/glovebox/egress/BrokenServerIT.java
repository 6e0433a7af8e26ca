package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Servers that end before they have said everything: the client hears so at once, takes no part
/// for the whole, and hears nothing that was said to another.
class BrokenServerIT {
    private static final String OK = "HTTP/1.1 200 OK\r\n";
    private static final String CHUNKED = OK + "Transfer-Encoding: chunked\r\n\r\n";

    @TempDir Path directory;
    private DoorRig rig;
    private RawServer clear;
    private RawServer secure;

    @BeforeEach
    void open() throws Exception {
        rig = new DoorRig(directory);
        clear = new RawServer(BrokenServerIT::serve);
        secure =
                new RawServer(
                        rig.internet().vouch("good.test").context().getServerSocketFactory(),
                        BrokenServerIT::serve);
    }

    @AfterEach
    void close() throws Exception {
        rig.close();
        clear.close();
        secure.close();
    }

    private Door door(String name) {
        return rig.open(
                name,
                """
                rules:
                  - {name: clear, host: good.test, protocol: http, action: allow, connect: "127.0.0.1:%d"}
                  - {name: secure, host: good.test, protocol: https, action: allow, connect: "127.0.0.1:%d"}
                """
                        .formatted(clear.port(), secure.port()));
    }

    private static void serve(RawServer.Talk talk) throws IOException {
        String head = talk.head();
        String path = head.isEmpty() ? "" : head.split(" ", 3)[1];
        talk.say(
                switch (path) {
                    case "/head" -> "HTTP/1.1 200 OK\r\nContent-Le";
                    case "/words" -> "220 smtp.good.test\r\n\r\n";
                    case "/old" -> "<html>no head</html>";
                    case "/short" -> OK + "Content-Length: 10\r\n\r\nshort";
                    case "/chunks" -> CHUNKED + "5\r\nshort\r\n";
                    case "/chunk" -> CHUNKED + "9\r\nshort";
                    case "/end" -> CHUNKED + "5\r\nshort\r\n0\r\n";
                    case "/close" -> OK + "\r\nshort";
                    case "/refuses" ->
                            "HTTP/1.1 413 No\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig";
                    case "/cut" -> cut(head);
                    default -> "";
                });
    }

    /// A part of an answer that repeats the request.
    private static String cut(String head) {
        String body = head.replaceAll("(?s).*X-Canary: ([^\r]*).*", "$1");
        String answer =
                OK
                        + "X-Canary: "
                        + body
                        + "\r\nTransfer-Encoding: chunked\r\n\r\n"
                        + Integer.toHexString(body.length())
                        + "\r\n"
                        + body
                        + "\r\n0\r\n\r\n";
        int length = Integer.parseInt(head.replaceAll("(?s).*X-Length: (\\d+).*", "$1"));
        return answer.substring(0, Math.min(length, answer.length()));
    }

    private static String ask(Socket socket, String path, String headers) throws IOException {
        try (socket) {
            String head = "GET " + path + " HTTP/1.1\r\nHost: good.test\r\n" + headers;
            socket.getOutputStream()
                    .write(
                            (head + "Connection: close\r\n\r\n")
                                    .getBytes(StandardCharsets.US_ASCII));
            return Client.rest(socket);
        }
    }

    @Test
    void serverThatHangsUp_isToldAtOnce_andNoPartLooksWhole() throws Exception {
        Door door = door("one");
        Instant start = Instant.now();
        for (String path :
                List.of(
                        "/none", "/head", "/words", "/old", "/short", "/chunks", "/chunk",
                        "/end")) {
            boolean begun = List.of("/short", "/chunks", "/chunk", "/end").contains(path);
            for (int port : new int[] {80, 443}) {
                Socket socket =
                        port == 80
                                ? rig.connect(door, "good.test", port)
                                : rig.tls(door, "good.test", port, "http/1.1");
                String answer = ask(socket, path, "");
                assertThat(answer)
                        .as("%s at %d", path, port)
                        .startsWith(begun ? OK : "HTTP/1.1 502")
                        .contains(begun ? "short" : "the server closed the connection")
                        .doesNotContain("[nothing more]", "\r\n0\r\n");
            }
            try (Http2Frames client = new Http2Frames(rig.tls(door, "good.test", 443, "h2"))) {
                client.request(1, true, Http2Frames.get("good.test", path));
                assertThat(client.answer(1))
                        .as("%s over HTTP/2", path)
                        .matches(begun ? "200 shortreset \\d" : "(?s)502 .*closed.*");
            }
        }
        assertThat(Duration.between(start, Instant.now()))
                .as("none has waited for a limit")
                .isLessThan(Duration.ofSeconds(60));
        assertThat(rig.curl(door, "http://good.test/close").output())
                .as("an answer that ends with its connection")
                .isEqualTo("short\n200");
    }

    /// Its socket is reset by what it has not read. The length is not said, because curl does not
    /// keep to it once it has been refused.
    @Test
    void serverThatAnswersAndHangsUpWithinTheRequest_isHeard() throws Exception {
        Door door = door("one");
        Path body = Files.write(directory.resolve("body"), new byte[20 << 20]);
        for (int i = 0; i < 5; i++) {
            for (List<String> how :
                    List.of(
                            List.of("--http1.1", "http://good.test/refuses"),
                            List.of("--http1.1", "https://good.test/refuses"),
                            List.of("--http2", "https://good.test/refuses"))) {
                assertThat(
                                rig.curl(
                                                door,
                                                how.getFirst(),
                                                "-H",
                                                "Expect:",
                                                "-H",
                                                "Transfer-Encoding: chunked",
                                                "-T",
                                                body.toString(),
                                                how.getLast())
                                        .output())
                        .as("%s", how)
                        .isEqualTo("big\n413");
            }
        }
    }

    @Test
    void serverOfHttp2ThatGoes_isDialledAgain() throws Exception {
        try (Http2Server one =
                        new Http2Server(
                                rig.internet().vouch("h2.test"), Http2Server.Stream::hangUp);
                Http2Server two =
                        new Http2Server(
                                rig.internet().vouch("h2.test"), stream -> stream.answer("ok"))) {
            String policy =
                    """
                    rules: [{name: two, host: h2.test, protocol: https, action: allow, connect: "127.0.0.1:%d"}]
                    """;
            Door gone = rig.open("gone", policy.formatted(one.port()));
            for (int i = 0; i < 3; i++) {
                assertThat(rig.curl(gone, "https://h2.test/").output()).endsWith("502");
            }
            assertThat(one.connections()).isEqualTo(3);
            Door stays = rig.open("stays", policy.formatted(two.port()));
            try (Http2Frames client = new Http2Frames(rig.tls(stays, "h2.test", 443, "h2"))) {
                for (int stream = 1; stream < 40; stream += 2) {
                    if (stream % 4 == 1) {
                        two.hangUp();
                    }
                    client.request(stream, true, Http2Frames.get("h2.test", "/"));
                    assertThat(client.answer(stream)).as("stream %d", stream).isEqualTo("200 ok");
                }
            }
            assertThat(two.connections()).isEqualTo(10);
        }
    }

    /// J13: two sandboxes take turns at a server that breaks off at every byte.
    @Test
    void answerThatBreaksOffAnywhere_neverHoldsWhatWasSaidToANeighbour() throws Exception {
        List<Door> doors = List.of(door("one"), door("two"));
        String[] canaries = {"canary-of-one-4711", "canary-of-two-0815"};
        boolean[] heard = new boolean[2];
        for (int length = 0; length < 120; length++) {
            for (int i = 0; i < 2; i++) {
                String answer =
                        ask(
                                rig.connect(doors.get(i), "good.test", 80),
                                "/cut",
                                "X-Canary: " + canaries[i] + "\r\nX-Length: " + length + "\r\n");
                assertThat(answer).as("%d bytes", length).doesNotContain(canaries[1 - i]);
                heard[i] |= answer.contains(canaries[i]);
            }
        }
        assertThat(heard).as("positive control").containsExactly(true, true);
    }
}
