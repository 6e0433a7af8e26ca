package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What HTTP messages can be besides a head and a body of known length, between clients and servers
/// of either version. Port 1001 leads to a server of HTTP/1.1, 1002 to one of HTTP/2; a credential
/// is added at both, so that every answer is searched.
@SuppressWarnings("StringConcatToTextBlock") // a text block has no CRLF
class MessagesIT {
    private static final String SECRET = "sk-hush-0123456789";
    private static final int ONE = 1001;
    private static final int TWO = 1002;

    @TempDir Path directory;
    private final Semaphore goOn = new Semaphore(0);
    private DoorRig rig;
    private RawServer one;
    private Http2Server two;
    private Door door;

    @BeforeEach
    void open() throws Exception {
        rig = new DoorRig(directory);
        one =
                new RawServer(
                        rig.internet().vouch("good.test").context().getServerSocketFactory(),
                        this::overOne);
        two = new Http2Server(rig.internet().vouch("good.test"), this::overTwo);
        door =
                rig.open(
                        "one",
                        """
                        rules:
                          - {name: one, host: good.test, port: 1001, protocol: https, action: allow, connect: "127.0.0.1:%d", credential: key}
                          - {name: two, host: good.test, port: 1002, protocol: https, action: allow, connect: "127.0.0.1:%d", credential: key}
                        credentials:
                          - {name: key, header: X-Key, format: "{}", source: {file: %s}}
                        """
                                .formatted(one.port(), two.port(), rig.secret("key", SECRET)));
    }

    @AfterEach
    void close() throws Exception {
        rig.close();
        one.close();
        two.close();
    }

    private void waits() throws IOException {
        try {
            if (!goOn.tryAcquire(10, TimeUnit.SECONDS)) {
                throw new IOException("the client did not hear the first part");
            }
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    private void overOne(RawServer.Talk talk) throws IOException {
        for (String head = talk.head(); !head.isEmpty(); head = talk.head()) {
            String ok = "HTTP/1.1 200 OK\r\n";
            String chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";
            switch (head.split(" ", 3)[1]) {
                case "/events" -> {
                    talk.say(
                            ok
                                    + "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\nd\r\ndata: first\n\n\r\n");
                    waits();
                    talk.say("e\r\ndata: second\n\n\r\n0\r\n\r\n");
                }
                case "/trailers" -> {
                    StringBuilder body = new StringBuilder();
                    while (body.indexOf("\r\n\r\n") < 0) {
                        body.append(talk.body(1));
                    }
                    String said = body.toString().toLowerCase(Locale.ROOT).replace("\r\n", "|");
                    talk.say(
                            chunked
                                    + Integer.toHexString(said.length())
                                    + "\r\n"
                                    + said
                                    + "\r\n0\r\nX-After: mine\r\n\r\n");
                }
                case "/continue" -> {
                    talk.say("HTTP/1.1 100 Continue\r\n\r\n");
                    talk.answer("", talk.body(5));
                }
                case "/refuse" -> {
                    talk.say(
                            "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig");
                    talk.rest();
                }
                case "/nothing" -> talk.say("HTTP/1.1 204 No Content\r\n\r\n");
                case "/same" ->
                        talk.say(
                                "HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\nETag: \"a\"\r\n\r\n");
                case "/hints" -> {
                    talk.say(
                            "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </b>\r\n\r\n");
                    talk.answer("", "after");
                }
                default -> {
                    talk.say(ok + "Content-Length: 5\r\n\r\n");
                    talk.say(head.startsWith("HEAD") ? "" : "plain");
                }
            }
        }
    }

    private void overTwo(Http2Server.Stream stream) throws IOException, InterruptedException {
        switch (stream.header(":path")) {
            case "/events" -> {
                stream.head(false, ":status", "200", "content-type", "text/event-stream");
                stream.data(false, "data: first\n\n");
                waits();
                stream.data(true, "data: second\n\n");
            }
            case "/trailers" -> {
                String body = stream.body();
                stream.head(false, ":status", "200");
                stream.data(false, body);
                stream.head(true, "x-after", "mine");
            }
            case "/continue" -> {
                stream.head(false, ":status", "100");
                stream.answer(stream.body());
            }
            case "/refuse" -> {
                stream.head(false, ":status", "413");
                stream.data(true, "big");
            }
            case "/failed" -> stream.head(true, ":status", "200", "grpc-status", "9");
            case "/nothing" -> stream.head(true, ":status", "204");
            case "/same" ->
                    stream.head(true, ":status", "304", "content-length", "1000", "etag", "\"a\"");
            case "/hints" -> {
                stream.head(false, ":status", "103", "link", "</a>");
                stream.head(false, ":status", "103", "link", "</b>");
                stream.head(false, ":status", "200", "content-length", "5");
                stream.data(true, "after");
            }
            default -> {
                boolean head = stream.header(":method").equals("HEAD");
                stream.head(head, ":status", "200", "content-length", "5");
                if (!head) {
                    stream.data(true, "plain");
                }
            }
        }
    }

    private static String url(int port, String path) {
        return "https://good.test:" + port + path;
    }

    private String[] fields(String method, int port, String path, String... more) {
        String[] fields = Http2Frames.get("good.test:" + port, path, more);
        fields[1] = method;
        return fields;
    }

    private Http2Frames http2(int port) throws Exception {
        return new Http2Frames(rig.tls(door, "good.test", port, "h2"));
    }

    private Socket http1(int port, String head) throws Exception {
        Socket socket = rig.tls(door, "good.test", port, "http/1.1");
        socket.getOutputStream()
                .write(
                        head.replace("HOST", "HTTP/1.1\r\nHost: good.test:" + port)
                                .getBytes(StandardCharsets.US_ASCII));
        return socket;
    }

    private static String until(Socket socket, String text) throws IOException {
        StringBuilder read = new StringBuilder();
        while (read.indexOf(text) < 0) {
            int next = socket.getInputStream().read();
            if (next < 0) {
                return read + "[end]";
            }
            read.append((char) next);
        }
        return read.toString();
    }

    /// The second event is not said before the first has been heard.
    @Test
    void eventsArriveOneByOne() throws Exception {
        for (int port : new int[] {ONE, TWO}) {
            try (Socket client = http1(port, "GET /events HOST\r\nConnection: close\r\n\r\n")) {
                assertThat(until(client, "first")).startsWith("HTTP/1.1 200");
                goOn.release();
                assertThat(Client.rest(client)).contains("data: second");
            }
            try (Http2Frames client = http2(port)) {
                client.request(1, true, fields("GET", port, "/events"));
                assertThat(client.data(1, 13)).isEqualTo("data: first\n\n");
                goOn.release();
                assertThat(client.data(1, 14)).isEqualTo("data: second\n\n");
            }
        }
    }

    @Test
    void trailersPassBothWays() throws Exception {
        String body = "3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n";
        for (int port : new int[] {ONE, TWO}) {
            try (Socket client =
                    http1(
                            port,
                            "POST /trailers HOST\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                                    + body)) {
                assertThat(Client.rest(client).replace("\r\n1\r\n", ""))
                        .contains("abc")
                        .containsIgnoringCase("0\r\nX-After: mine\r\n\r\n");
            }
            try (Http2Frames client = http2(port)) {
                client.request(1, false, fields("POST", port, "/trailers", "te", "trailers"));
                client.send(Http2Frames.DATA, 0, 1, "abc".getBytes(StandardCharsets.US_ASCII));
                client.request(1, true, "x-sum", "7");
                assertThat(client.whole(1)).contains("abc", "x-after: mine");
            }
        }
        assertThat(two.seen())
                .filteredOn(seen -> "7".contentEquals(String.valueOf(seen.get("x-sum"))))
                .hasSize(2);
        try (Socket client =
                http1(
                        ONE,
                        "POST /trailers HOST\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                                + body)) {
            assertThat(Client.rest(client)).contains("|abc|0|x-sum: 7||");
        }
    }

    @Test
    void bodyIsSentWhenTheServerWantsIt_andNotWhenItRefuses() throws Exception {
        for (int port : new int[] {ONE, TWO}) {
            String head = " HOST\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
            try (Socket client = http1(port, "POST /continue" + head)) {
                assertThat(until(client, "\r\n\r\n")).isEqualTo("HTTP/1.1 100 Continue\r\n\r\n");
                client.getOutputStream().write("later".getBytes(StandardCharsets.US_ASCII));
                assertThat(until(client, "later")).startsWith("HTTP/1.1 200");
            }
            try (Socket client = http1(port, "POST /refuse" + head)) {
                assertThat(Client.rest(client)).startsWith("HTTP/1.1 413").contains("big");
            }
            try (Http2Frames client = http2(port)) {
                client.request(
                        1,
                        false,
                        fields(
                                "POST",
                                port,
                                "/continue",
                                "expect",
                                "100-continue",
                                "content-length",
                                "5"));
                client.send(
                        Http2Frames.DATA,
                        Http2Frames.END_STREAM,
                        1,
                        "later".getBytes(StandardCharsets.US_ASCII));
                assertThat(client.answer(1)).isEqualTo("100 200 later");
            }
        }
    }

    /// gRPC tells a call that failed by one head that ends the stream, and takes no other.
    @Test
    void answerThatIsOneHead_staysOneHead() throws Exception {
        try (Http2Frames client = http2(TWO)) {
            client.request(1, true, fields("POST", TWO, "/failed"));
            Http2Frames.Frame frame = client.next();
            while (frame.type() != Http2Frames.HEADERS) {
                frame = client.next();
            }
            assertThat(frame.flags() & Http2Frames.END_STREAM).isNotZero();
            assertThat(client.decoded(frame).get("grpc-status")).hasToString("9");
        }
        try (Socket client =
                http1(TWO, "POST /failed HOST\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")) {
            assertThat(Client.rest(client)).startsWith("HTTP/1.1 200").endsWith("\r\n0\r\n\r\n");
        }
    }

    /// By curl, which goes on sending until it has read the answer. It then ends the body, so that
    /// its length must not have been said.
    @Test
    void uploadThatTheServerRefusesEarly_isAnsweredAndEnds() throws Exception {
        Path large = directory.resolve("large");
        try (OutputStream out = Files.newOutputStream(large)) {
            for (int i = 0; i < 50; i++) {
                out.write(new byte[1 << 20]);
            }
        }
        for (int port : new int[] {ONE, TWO}) {
            for (String version : List.of("--http1.1", "--http2")) {
                assertThat(
                                rig.curl(
                                                door,
                                                version,
                                                "-H",
                                                "Expect:",
                                                "-H",
                                                "Transfer-Encoding: chunked",
                                                "-T",
                                                large.toString(),
                                                url(port, "/refuse"))
                                        .output())
                        .as("%s to %d", version, port)
                        .startsWith("big")
                        .endsWith("413");
            }
            assertThat(rig.curl(door, url(port, "/")).output()).isEqualTo("plain\n200");
        }
    }

    @Test
    void answersWithoutABody_leaveTheConnectionForTheNext() throws Exception {
        for (int port : new int[] {ONE, TWO}) {
            String request = " HOST\r\n\r\n";
            try (Socket client = http1(port, "HEAD /" + request)) {
                assertThat(until(client, "\r\n\r\n"))
                        .startsWith("HTTP/1.1 200")
                        .containsIgnoringCase("content-length: 5");
                for (String path : List.of("/nothing", "/same", "/same", "/hints", "/")) {
                    client.getOutputStream()
                            .write(
                                    ("GET " + path + request)
                                            .replace("HOST", "HTTP/1.1\r\nHost: good.test:" + port)
                                            .getBytes(StandardCharsets.US_ASCII));
                    String end =
                            path.equals("/")
                                    ? "plain"
                                    : path.equals("/hints") ? "after" : "\r\n\r\n";
                    assertThat(until(client, end))
                            .as(path)
                            .startsWith("HTTP/1.1 ")
                            .doesNotContain("[end]");
                }
            }
            try (Http2Frames client = http2(port)) {
                client.request(1, true, fields("HEAD", port, "/"));
                client.request(3, true, fields("GET", port, "/nothing"));
                client.request(5, true, fields("GET", port, "/same"));
                client.request(7, true, fields("GET", port, "/hints"));
                client.request(9, true, fields("GET", port, "/"));
                assertThat(client.answers(9))
                        .containsExactlyInAnyOrder(
                                "200 ", "204 ", "304 ", "103 103 200 after", "200 plain");
            }
        }
    }

    @Test
    void pipelinedRequests_areAnsweredInOrderOverOneConnection() throws Exception {
        StringBuilder all = new StringBuilder();
        for (int i = 0; i < 20; i++) {
            all.append(
                    "GET /%s HTTP/1.1\r\nHost: good.test:1001\r\n\r\n"
                            .formatted(i % 5 == 1 ? "nothing" : "" + i));
        }
        all.append("GET /hints HTTP/1.1\r\nHost: good.test:1001\r\nConnection: close\r\n\r\n");
        int before = this.one.connections();
        try (Socket client = http1(ONE, all.toString())) {
            String answers = Client.rest(client);
            assertThat(answers.split("plain", -1)).hasSize(17);
            assertThat(answers.split("HTTP/1.1 204", -1)).hasSize(5);
            assertThat(answers).endsWith("after");
        }
        assertThat(this.one.connections() - before).as("connections to the server").isEqualTo(1);
        assertThat(this.one.heads().getFirst()).startsWith("GET /0 ");
        assertThat(this.one.heads()).hasSize(21).last().asString().startsWith("GET /hints");
    }
}
