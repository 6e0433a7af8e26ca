package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.glovebox.protocol.egress.EgressPolicy;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Attacks on credentials from inside. Every test proves first that the credential arrives.
class CredentialIT {
    private static final String SECRET = "sk/hush+0123456789\"xyz";
    private static final String PLACEHOLDER = "glovebox-3f9c2a7b5d1e4860a9b7";

    @TempDir Path directory;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final List<Seen> seen = new CopyOnWriteArrayList<>();
    private HttpServer server;
    private Doors doors;
    private Door door;
    private Inside inside;
    private Instant start;

    private record Seen(String line, com.sun.net.httpserver.Headers headers, String body) {
        String header(String name) {
            return String.valueOf(headers.getFirst(name));
        }
    }

    @BeforeEach
    void open() throws Exception {
        server = HttpServer.create(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0), 9);
        server.setExecutor(threads);
        server.createContext("/", this::answer);
        server.start();
        Path key = Files.writeString(directory.resolve("key"), SECRET + "\n");
        doors = Doors.open(EgressConfig.at(directory.resolve("doors")));
        door =
                doors.open(
                        "one",
                        EgressPolicy.parse(
                                """
                                rules:
                                  - {name: plain, host: plain.test, protocol: http, action: allow, connect: "127.0.0.1:WEB"}
                                  - {name: bearer, host: bearer.test, protocol: http, action: allow, connect: "127.0.0.1:WEB",
                                     credential: bearer, insecure-credential: true}
                                  - {name: basic, host: basic.test, protocol: http, action: allow, connect: "127.0.0.1:WEB",
                                     credential: basic, insecure-credential: true}
                                  - {name: query, host: query.test, protocol: http, action: allow, connect: "127.0.0.1:WEB",
                                     credential: query, insecure-credential: true}
                                  - {name: holder, host: holder.test, protocol: http, action: allow, connect: "127.0.0.1:WEB",
                                     credential: holder, insecure-credential: true}
                                  - {name: spent, host: spent.test, protocol: http, action: allow, connect: "127.0.0.1:WEB",
                                     credential: spent, insecure-credential: true}
                                  - {name: command, host: command.test, protocol: http, action: allow, connect: "127.0.0.1:WEB",
                                     credential: command, insecure-credential: true}
                                  - {name: broken, host: broken.test, protocol: http, action: allow, connect: "127.0.0.1:WEB",
                                     credential: broken, insecure-credential: true}
                                credentials:
                                  - {name: bearer, header: Authorization, format: "Bearer {}", source: {file: KEY}}
                                  - {name: basic, basic: {user: me}, source: {file: KEY}}
                                  - {name: query, query: {parameter: key}, source: {file: KEY}}
                                  - {name: holder, placeholder: {value: PLACEHOLDER, bodies: true}, source: {file: KEY}}
                                  - {name: spent, header: X-Key, format: "{}", source: {file: KEY}, budget: {requests: 2, per: 1h}}
                                  - {name: command, header: X-Key, format: "{}", source: {command: [/bin/echo, from-a-command], ttl: 1h}}
                                  - {name: broken, header: X-Key, format: "{}", source: {command: [/bin/false], ttl: 1h}}
                                """
                                        .replace("WEB", "" + server.getAddress().getPort())
                                        .replace("KEY", key.toString())
                                        .replace("PLACEHOLDER", PLACEHOLDER)));
        inside = new Inside(door, directory);
        start = Instant.now();
    }

    @AfterEach
    void close() {
        doors.close();
        server.stop(0);
        threads.close();
    }

    /// Answers with what it was sent, in the spelling that the path names.
    private void answer(HttpExchange exchange) throws IOException {
        String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        Seen here =
                new Seen(
                        exchange.getRequestMethod() + " " + exchange.getRequestURI(),
                        exchange.getRequestHeaders(),
                        body);
        seen.add(here);
        byte[] raw = (here.header("Authorization") + SECRET).getBytes(StandardCharsets.UTF_8);
        String path = exchange.getRequestURI().getPath();
        byte[] answer =
                switch (path) {
                    case "/raw", "/pieces" -> raw;
                    case "/base64" -> Base64.getEncoder().encode(raw);
                    case "/hex" -> HexFormat.of().formatHex(raw).getBytes(StandardCharsets.UTF_8);
                    case "/url" ->
                            URLEncoder.encode(SECRET, StandardCharsets.UTF_8)
                                    .getBytes(StandardCharsets.UTF_8);
                    case "/json" -> SECRET.replace("\"", "\\\"").getBytes(StandardCharsets.UTF_8);
                    case "/gzip" -> gzip(raw);
                    default -> "ok".getBytes(StandardCharsets.UTF_8);
                };
        if (path.equals("/gzip")) {
            exchange.getResponseHeaders().add("Content-Encoding", "gzip");
        }
        if (path.equals("/header")) {
            exchange.getResponseHeaders().add("Set-Cookie", "k=" + SECRET);
        }
        if (path.equals("/redirect")) {
            exchange.getResponseHeaders().add("Location", "http://plain.test/landed");
            exchange.sendResponseHeaders(307, -1);
        } else if (path.equals("/pieces")) {
            exchange.sendResponseHeaders(200, 0);
            try (OutputStream out = exchange.getResponseBody()) {
                for (byte each : answer) {
                    out.write(each);
                    out.flush();
                }
            }
        } else {
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
        }
        exchange.close();
    }

    private static byte[] gzip(byte[] raw) throws IOException {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(packed)) {
            out.write(raw);
        }
        return packed.toByteArray();
    }

    private Seen last() {
        return seen.getLast();
    }

    @Test
    void everyProjection_arrives() throws Exception {
        assertThat(inside.curl("http://bearer.test/").output()).isEqualTo("ok\n200");
        assertThat(last().header("Authorization")).isEqualTo("Bearer " + SECRET);
        assertThat(inside.curl("http://basic.test/").output()).isEqualTo("ok\n200");
        assertThat(last().header("Authorization"))
                .isEqualTo(
                        "Basic "
                                + Base64.getEncoder()
                                        .encodeToString(
                                                ("me:" + SECRET).getBytes(StandardCharsets.UTF_8)));
        assertThat(inside.curl("http://query.test/p?a=1&key=mine").output()).isEqualTo("ok\n200");
        assertThat(last().line())
                .isEqualTo("GET /p?a=1&key=" + URLEncoder.encode(SECRET, StandardCharsets.UTF_8));
        assertThat(
                        inside.curl(
                                        "-H",
                                        "X-Key: " + PLACEHOLDER,
                                        "-d",
                                        "token=" + PLACEHOLDER,
                                        "http://holder.test/")
                                .output())
                .isEqualTo("ok\n200");
        assertThat(last().header("X-Key")).isEqualTo(SECRET);
        assertThat(last().body()).isEqualTo("token=" + SECRET);
        assertThat(inside.curl("http://command.test/").output()).isEqualTo("ok\n200");
        assertThat(last().header("X-Key")).isEqualTo("from-a-command");
        assertThat(inside.curl("http://plain.test/").output()).isEqualTo("ok\n200");
        assertThat(last().headers().values().toString()).doesNotContain(SECRET);
    }

    /// E6.
    @Test
    void serverThatEchoesTheCredential_inAnyCommonSpelling_isCovered() throws Exception {
        for (String path :
                List.of("/raw", "/pieces", "/base64", "/hex", "/url", "/json", "/header")) {
            seen.clear();
            String said = inside.curl("-i", "http://bearer.test" + path).output();
            assertThat(last().header("Authorization")).isEqualTo("Bearer " + SECRET);
            assertThat(said).as(path).endsWith("200").contains("*****").doesNotContain(SECRET);
            assertThat(found(said)).as(path).isFalse();
            String open = inside.curl("-i", "http://plain.test" + path).output();
            assertThat(found(open)).as("positive control " + path).isTrue();
        }
        assertThat(inside.curl("http://bearer.test/gzip").output())
                .endsWith("502")
                .contains("packed, and cannot be searched");
        assertThat(door.denialsSince(start))
                .extracting(Denial::reason)
                .contains("the answer repeated the credential, which was covered");
    }

    private static boolean found(String text) {
        byte[] raw = SECRET.getBytes(StandardCharsets.UTF_8);
        boolean base64 = false;
        for (String before : List.of("Bearer ", "null", "")) {
            String whole =
                    Base64.getEncoder()
                            .encodeToString((before + SECRET).getBytes(StandardCharsets.UTF_8));
            base64 |= text.contains(whole.substring(12, whole.length() - 4));
        }
        return base64
                || text.contains(SECRET)
                || text.contains(SECRET.replace("\"", "\\\""))
                || text.contains(HexFormat.of().formatHex(raw))
                || text.contains(URLEncoder.encode(SECRET, StandardCharsets.UTF_8));
    }

    /// E3, E10.
    @Test
    void placeholderSentToAnotherHost_staysAPlaceholder() throws Exception {
        inside.curl("-H", "X-Key: " + PLACEHOLDER, "http://holder.test/");
        assertThat(last().header("X-Key")).as("positive control").isEqualTo(SECRET);
        for (String host : List.of("plain.test", "bearer.test", "spent.test")) {
            inside.curl("-H", "X-Other: " + PLACEHOLDER, "http://" + host + "/");
            assertThat(last().header("X-Other")).as(host).isEqualTo(PLACEHOLDER);
        }
        int before = seen.size();
        assertThat(inside.curl("http://holder.test/?k=" + PLACEHOLDER).output())
                .endsWith("403")
                .contains("stands in the URL");
        assertThat(
                        inside.curl(
                                        "-H",
                                        "Content-Encoding: gzip",
                                        "-d",
                                        "x",
                                        "http://holder.test/")
                                .output())
                .endsWith("415");
        assertThat(seen).hasSize(before);
    }

    /// E7.
    @Test
    void redirectToAnotherHost_doesNotCarryTheCredential() throws Exception {
        assertThat(inside.curl("-L", "http://bearer.test/redirect").output()).isEqualTo("ok\n200");
        assertThat(seen.getFirst().header("Authorization")).isEqualTo("Bearer " + SECRET);
        assertThat(last().line()).isEqualTo("GET /landed");
        assertThat(last().headers()).doesNotContainKey("Authorization");
        assertThat(seen).hasSize(2);
    }

    /// E8.
    @Test
    void ownCopiesBesideTheCredential_doNotTravel() throws Exception {
        inside.curl(
                "-H",
                "authorization: Bearer mine",
                "-H",
                "AUTHORIZATION: Bearer two",
                "-H",
                "Cookie: a=b",
                "-H",
                "Connection: authorization",
                "http://bearer.test/");
        assertThat(last().headers().get("Authorization")).containsExactly("Bearer " + SECRET);
        assertThat(last().headers()).doesNotContainKey("Cookie");
        inside.curl("-H", "X_Key: mine", "-H", "x-key: mine", "http://spent.test/");
        assertThat(last().headers().get("X-Key")).containsExactly(SECRET);
        assertThat(last().headers()).doesNotContainKey("X_key");
    }

    /// E20.
    @Test
    void budgetThatIsSpent_isAnswered429() throws Exception {
        for (int i = 0; i < 2; i++) {
            assertThat(inside.curl("http://spent.test/").output()).endsWith("200");
        }
        assertThat(inside.curl("http://spent.test/").output())
                .endsWith("429")
                .contains("the budget of credential \"spent\" is spent");
        assertThat(seen).hasSize(2);
        assertThat(door.denialsSince(start))
                .anyMatch(denial -> denial.reason().contains("is spent for now"));
        assertThat(inside.curl("http://bearer.test/").output()).endsWith("200");
    }

    @Test
    void credentialThatCannotBeHad_failsClosedAndIsNamed() throws Exception {
        assertThat(inside.curl("http://command.test/").output()).endsWith("200");
        int before = seen.size();
        assertThat(inside.curl("http://broken.test/").output())
                .endsWith("502")
                .contains(
                        "credential \"broken\" cannot be had: command /bin/false ended with exit 1");
        assertThat(seen).hasSize(before);
    }

    /// E1: after use, the secret is in no file, argument or variable that is inside.
    @Test
    void secret_isNowhereInside() throws Exception {
        assertThat(inside.curl("http://bearer.test/").output()).endsWith("200");
        assertThat(last().header("Authorization")).as("it was used").contains(SECRET);
        String everything =
                inside.run(
                                "sh",
                                "-c",
                                "export CANARY=control-value; env; cat /proc/self/environ /proc/self/cmdline /proc/self/mountinfo;"
                                        + " for p in /proc/[0-9]*; do cat $p/environ $p/cmdline; done"
                                        + " 2>/dev/null; cat /proc/net/tcp /proc/net/unix")
                        .output();
        assertThat(everything).as("positive control").contains("control-value");
        assertThat(found(everything)).isFalse();
        assertThat("" + door.terms()).doesNotContain(SECRET);
    }
}
