package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// E6, E23: servers that repeat a credential in every place an answer has, over both versions of
/// HTTP, to both. The port tells which server and whether the rule adds the credential.
class EchoAttackIT {
    private static final String SECRET = "sk-hush+0123456789xyz";
    private static final String CODED =
            Base64.getEncoder().encodeToString(SECRET.getBytes(StandardCharsets.UTF_8));

    private static final String OK = "HTTP/1.1 200 OK\r\n";
    private static final String EMPTY = "Content-Length: 0\r\n\r\n";
    private static final String CHUNKED = "Transfer-Encoding: chunked\r\n\r\n";
    private static final String CUT = "<" + SECRET + CODED + ">";

    @TempDir Path directory;
    private DoorRig rig;
    private RawServer one;
    private Http2Server two;
    private Door door;

    @BeforeEach
    void open() throws Exception {
        rig = new DoorRig(directory);
        one =
                new RawServer(
                        rig.internet().vouch("echo.test").context().getServerSocketFactory(),
                        EchoAttackIT::overOne);
        two = new Http2Server(rig.internet().vouch("echo.test"), EchoAttackIT::overTwo);
        door =
                rig.open(
                        "one",
                        """
                        rules:
                          - {name: one, host: echo.test, port: 1001, protocol: https, action: allow, connect: "127.0.0.1:%1$d", credential: key}
                          - {name: two, host: echo.test, port: 1002, protocol: https, action: allow, connect: "127.0.0.1:%2$d", credential: key}
                          - {name: one-open, host: echo.test, port: 2001, protocol: https, action: allow, connect: "127.0.0.1:%1$d"}
                          - {name: two-open, host: echo.test, port: 2002, protocol: https, action: allow, connect: "127.0.0.1:%2$d"}
                        credentials:
                          - {name: key, header: X-Key, format: "{}", source: {file: %3$s}}
                        """
                                .formatted(one.port(), two.port(), rig.secret("key", SECRET)));
    }

    @AfterEach
    void close() throws Exception {
        rig.close();
        one.close();
        two.close();
    }

    private static void overOne(RawServer.Talk talk) throws IOException {
        for (String head = talk.head(); !head.isEmpty(); head = talk.head()) {
            String place = head.split(" ", 3)[1];
            talk.say(
                    switch (place) {
                        case "/reason" -> "HTTP/1.1 200 " + SECRET + "\r\n" + EMPTY;
                        case "/interim" ->
                                "HTTP/1.1 103 Early Hints\r\nLink: <%s>\r\n\r\n".formatted(SECRET)
                                        + OK
                                        + EMPTY;
                        case "/header" -> OK + "X-Echo: " + CODED + "\r\n" + EMPTY;
                        case "/cookie" -> OK + "Set-Cookie: a=b; k=" + SECRET + "\r\n" + EMPTY;
                        case "/name" -> OK + "X-" + SECRET + ": 1\r\n" + EMPTY;
                        case "/extension" -> OK + CHUNKED + "1;a=" + CODED + "\r\na\r\n0\r\n\r\n";
                        case "/trailer" ->
                                OK + CHUNKED + "1\r\na\r\n0\r\nX-Echo: " + SECRET + "\r\n\r\n";
                        case "/cut" -> OK + CHUNKED;
                        case "/gzip" -> packed("Content-Encoding: gzip");
                        case "/twice" ->
                                packed("Content-Encoding: identity\r\nContent-Encoding: gzip");
                        case "/list" -> packed("Content-Encoding: identity, gzip");
                        case "/transfer" ->
                                OK + "Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
                        default -> OK + "\r\nyou said " + SECRET;
                    });
            if (place.equals("/body")) {
                return;
            }
            if (place.equals("/cut")) {
                for (String each : CUT.chars().mapToObj(Character::toString).toList()) {
                    talk.say("1\r\n" + each + "\r\n");
                }
                talk.say("0\r\n\r\n");
            }
        }
    }

    private static String packed(String header) {
        return OK + header + "\r\nContent-Length: 2\r\n\r\nok";
    }

    private static void overTwo(Http2Server.Stream stream)
            throws IOException, InterruptedException {
        String[] ok = {":status", "200"};
        switch (stream.header(":path")) {
            case "/interim" -> {
                stream.head(false, ":status", "103", "link", "<" + SECRET + ">");
                stream.answer("");
            }
            case "/header" -> stream.head(true, ":status", "200", "x-echo", CODED);
            case "/cookie" -> stream.head(true, ":status", "200", "set-cookie", "k=" + SECRET);
            case "/name" -> stream.head(true, ":status", "200", "x-" + SECRET, "1");
            case "/trailer" -> {
                stream.head(false, ok);
                stream.data(false, "a");
                stream.head(true, "x-echo", SECRET);
            }
            case "/cut" -> {
                stream.head(false, ok);
                for (String each : CUT.chars().mapToObj(Character::toString).toList()) {
                    stream.data(false, each);
                }
                stream.data(true, "");
            }
            case "/gzip" -> stream.head(true, ":status", "200", "content-encoding", "gzip");
            case "/twice" ->
                    stream.head(
                            true,
                            ":status",
                            "200",
                            "content-encoding",
                            "identity",
                            "content-encoding",
                            "gzip");
            case "/list" ->
                    stream.head(true, ":status", "200", "content-encoding", "identity,gzip");
            case "/pauses" -> {
                stream.head(false, ok);
                for (String piece = stream.next();
                        !Http2Server.Stream.isOver(piece);
                        piece = stream.next()) {
                    stream.data(false, piece);
                }
                stream.data(true, "");
            }
            default -> stream.answer("you said " + SECRET);
        }
    }

    /// A whole answer, however it comes.
    private String ask(int port, boolean http2, String path) throws Exception {
        if (http2) {
            try (Http2Frames client = new Http2Frames(rig.tls(door, "echo.test", port, "h2"))) {
                client.request(1, true, Http2Frames.get("echo.test:" + port, path));
                return client.whole(1);
            }
        }
        try (Socket client = rig.tls(door, "echo.test", port, "http/1.1")) {
            client.getOutputStream()
                    .write(
                            "GET %s HTTP/1.1\r\nHost: echo.test:%d\r\nConnection: close\r\n\r\n"
                                    .formatted(path, port)
                                    .getBytes(StandardCharsets.US_ASCII));
            return Client.rest(client);
        }
    }

    private static boolean found(String text) {
        String body = text.replace("\r\n1\r\n", "");
        return body.contains(SECRET) || body.contains(CODED.substring(0, 20));
    }

    private void everyPlace(List<String> places, int server, boolean http2) throws Exception {
        for (String place : places) {
            String name = place + " of server " + server + (http2 ? " over HTTP/2" : "");
            String open = ask(2000 + server, http2, "/" + place);
            boolean lost = place.equals("extension") || (http2 && place.equals("reason"));
            assertThat(found(open)).as("positive control, %s: %s", name, open).isNotEqualTo(lost);
            String said = ask(1000 + server, http2, "/" + place);
            assertThat(found(said)).as(name).isFalse();
            boolean gone = lost || place.equals("reason");
            assertThat(said.replace("\r\n1\r\n", ""))
                    .as(name)
                    .contains("200", gone ? "200" : "*".repeat(20));
        }
    }

    /// The place of the secret in an answer does not matter, nor who speaks which version.
    @Test
    void serverThatEchoesTheCredential_inAnyPlace_isCovered() throws Exception {
        List<String> both = List.of("body", "cut", "header", "cookie", "trailer", "interim");
        for (boolean http2 : new boolean[] {false, true}) {
            everyPlace(both, 1, http2);
            everyPlace(both, 2, http2);
            everyPlace(List.of("reason", "extension"), 1, http2);
        }
        assertThat(door.denialsSince(Instant.EPOCH))
                .extracting(Denial::reason)
                .contains("the answer repeated the credential, which was covered");
    }

    /// What cannot be covered, or not be searched, does not come.
    @Test
    void answerThatHidesTheCredential_isWithheld() throws Exception {
        for (int server : new int[] {1, 2}) {
            for (String place : List.of("gzip", "twice", "list", "name")) {
                String name = place + " of server " + server;
                assertThat(ask(2000 + server, false, "/" + place))
                        .as("positive control, %s", name)
                        .startsWith("HTTP/1.1 200");
                assertThat(ask(1000 + server, false, "/" + place))
                        .as(name)
                        .startsWith("HTTP/1.1 502");
                assertThat(ask(1000 + server, true, "/" + place))
                        .as(name)
                        .startsWith(":status: 502");
            }
        }
        assertThat(ask(1001, false, "/transfer")).startsWith("HTTP/1.1 502");
        assertThat(door.denialsSince(Instant.EPOCH))
                .extracting(Denial::reason)
                .contains(
                        "the answer repeated the credential and was withheld",
                        "the answer is packed, and cannot be searched for the credential");
    }

    /// A conversation: the next piece is not said before the last one came back. Each ends with
    /// what may be the beginning of a secret.
    @Test
    void answerThatPausesWhereASecretMayBegin_goesOn() throws Exception {
        try (Http2Frames client = new Http2Frames(rig.tls(door, "echo.test", 1002, "h2"))) {
            String[] fields = Http2Frames.get("echo.test:1002", "/pauses");
            fields[1] = "POST";
            client.request(1, false, fields);
            for (int length = 0; length <= 3; length++) {
                String piece = "<" + SECRET.substring(0, length);
                client.send(Http2Frames.DATA, 0, 1, piece.getBytes(StandardCharsets.US_ASCII));
                assertThat(client.data(1, piece.length())).isEqualTo(piece);
            }
            client.send(Http2Frames.DATA, 0, 1, SECRET.getBytes(StandardCharsets.US_ASCII));
            assertThat(client.data(1, SECRET.length())).isEqualTo("*".repeat(SECRET.length()));
        }
    }
}
