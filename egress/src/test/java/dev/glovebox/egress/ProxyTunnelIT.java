package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.glovebox.egress.audit.AuditConfig;
import dev.glovebox.egress.audit.AuditLog;
import dev.glovebox.egress.audit.AuditTrail;
import dev.glovebox.egress.tls.TestAuthority;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.HostName;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// What goes on in a tunnel of the door's proxies is looked at like a connection that was dialled:
/// by the rule's protocol, for as long as the policy allows it, with a record.
class ProxyTunnelIT {
    private static final String SECRET = "sk-hush-0123456789";
    private static final List<String> PROXIES = List.of(ProxyClient.HTTP, ProxyClient.SOCKS);
    private static final byte[] HELLO_FOR_GOOD_TEST =
            HexFormat.of()
                    .parseHex(
                            "16030100460100004203035b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b"
                                    + "000002130101000017"
                                    + "0000000e000c0000"
                                    + "09676f6f642e74657374"
                                    + "0010000100");
    private static final DoorLimits LIMITS =
            new DoorLimits(
                    256,
                    Duration.ofSeconds(10),
                    Duration.ofSeconds(2),
                    Duration.ofMinutes(10),
                    32 * 1024,
                    1024,
                    256,
                    Duration.ofSeconds(30));
    private static final String POLICY =
            """
            rules:
              - {name: web, host: good.test, protocol: https, action: allow, connect: "127.0.0.1:HTTPS"}
              - {name: api, host: good.test, port: 9443, protocol: https, action: allow, connect: "127.0.0.1:HTTPS", credential: key}
              - {name: pass, host: good.test, port: 8443, protocol: tls, action: allow, connect: "127.0.0.1:TLS"}
              - {name: clear, host: good.test, port: 80, protocol: http, action: allow, connect: "127.0.0.1:WEB"}
              - {name: raw, host: good.test, port: 7000, protocol: tcp, action: allow, connect: "127.0.0.1:WEB"}
              - {name: never, host: never.test, action: deny}
            credentials:
              - {name: key, format: "Bearer {}", source: {file: KEY}}
            """;

    @TempDir Path directory;
    private final List<HostName> lookedUp = new CopyOnWriteArrayList<>();
    private final Deque<AutoCloseable> closing = new ArrayDeque<>();
    private FakeHttps https;
    private FakeTls tls;
    private FakeWeb web;
    private Door door;
    private Inside inside;
    private ProxyClient proxy;
    private Instant start;

    @BeforeEach
    void open() throws Exception {
        TestAuthority internet = new TestAuthority("Fake Internet Root");
        https = later(new FakeHttps(internet.vouch("good.test")));
        tls = later(new FakeTls(directory));
        web = later(new FakeWeb());
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        AuditLog audit = later(AuditLog.open(AuditConfig.at(directory.resolve("audit"))));
        Doors doors =
                later(
                        Doors.open(
                                new EgressConfig(directory.resolve("doors"), LIMITS, this::resolve)
                                        .withRoots(internet.write(directory.resolve("roots.pem")))
                                        .withAudit(audit)));
        door = doors.open("one", policy(POLICY));
        inside = new Inside(door, directory);
        proxy = new ProxyClient(door);
        Files.copy(door.trustFiles().bundle(), directory.resolve("bundle.pem"));
        start = Instant.now();
    }

    private <T extends AutoCloseable> T later(T thing) {
        closing.push(thing);
        return thing;
    }

    private EgressPolicy policy(String text) throws IOException {
        Path key = Files.writeString(directory.resolve("key"), SECRET + "\n");
        return EgressPolicy.parse(
                text.replace("HTTPS", "" + https.port())
                        .replace("TLS", "" + tls.port())
                        .replace("WEB", "" + web.port())
                        .replace("KEY", key.toString()));
    }

    private List<InetAddress> resolve(HostName name) {
        lookedUp.add(name);
        return List.of(InetAddress.ofLiteral("127.0.0.1"));
    }

    @AfterEach
    void close() throws Exception {
        while (!closing.isEmpty()) {
            closing.pop().close();
        }
    }

    private Inside.Result curl(String by, String... arguments) throws Exception {
        List<String> all =
                new ArrayList<>(List.of("--cacert", directory.resolve("bundle.pem").toString()));
        all.addAll(List.of(arguments));
        return inside.curlBy(by, all.toArray(String[]::new));
    }

    private void refused(String destination, String reason) {
        await().untilAsserted(() ->
                assertThat(door.denialsSince(start))
                        .anyMatch(d ->
                                d.destination().equals(destination)
                                        && d.reason().contains(reason)));
    }

    @Test
    void httpsInATunnel_isReadAndGetsItsCredential() throws Exception {
        for (String by : PROXIES) {
            for (String version : List.of("--http1.1", "--http2")) {
                assertThat(curl(by, version, "https://good.test/x").output())
                        .as("%s %s", by, version)
                        .isEqualTo("GET /x good.test\n200");
            }
            assertThat(
                            curl(by, "-H", "Authorization: mine", "https://good.test:9443/v1", "-v")
                                    .output())
                    .endsWith("GET /v1 good.test:9443\n200")
                    .doesNotContain(SECRET);
            assertThat(https.seen().getLast().headers().get("Authorization"))
                    .containsExactly("Bearer " + SECRET);
            assertThat(inside.curlBy(by, "-k", "https://good.test:8443/").output())
                    .isEqualTo("behind\n200");
            assertThat(curl(by, "-p", "http://good.test/clear").output())
                    .isEqualTo("GET /clear good.test\n200");
            assertThat(curl(by, "-p", "http://good.test:7000/raw").output())
                    .isEqualTo("GET /raw good.test:7000\n200");
        }
    }

    /// What a client shows of a refused tunnel is the answer to its CONNECT.
    @Test
    void refusedTunnel_isRefusedOnTheConnect() throws Exception {
        assertThat(curl(ProxyClient.HTTP, "https://good.test/").output()).endsWith("200");
        Inside.Result refused = curl(ProxyClient.HTTP, "https://never.test/");
        assertThat(refused.exit()).isEqualTo(56);
        assertThat(refused.output()).contains("response 403");
        try (Socket socket = proxy.http(ProxyClient.connect("never.test:443"))) {
            assertThat(Client.rest(socket))
                    .startsWith("HTTP/1.1 403")
                    .contains("never.test:443", "rule \"never\"", "ask the operator");
        }
        assertThat(proxy.socksReply(ProxyClient.byName("never.test", 443))).isEqualTo(2);
        refused("never.test", "rule \"never\" denies it");
        assertThat(lookedUp).isEmpty();
    }

    /// D16
    @Test
    void helloThatNamesAnotherHostThanTheTunnel_isRefused() throws Exception {
        assertThat(curl(ProxyClient.HTTP, "https://good.test/").output()).endsWith("200");
        https.seen().clear();
        int before = tls.accepted();
        for (String by : PROXIES) {
            for (String port : List.of("443", "8443")) {
                assertThat(
                                curl(
                                                by,
                                                "-k",
                                                "--connect-to",
                                                "evil.test:" + port + ":good.test:" + port,
                                                "https://evil.test:" + port + "/")
                                        .exit())
                        .isEqualTo(35);
            }
        }
        assertThat(https.seen()).isEmpty();
        assertThat(tls.accepted()).isEqualTo(before);
        refused("good.test", "names another host (SNI)");
    }

    /// D19: fronting, inside a tunnel whose name and certificate are right.
    @Test
    void requestForAnotherHostInATunnel_isRefused() throws Exception {
        for (String by : PROXIES) {
            https.seen().clear();
            String url = "https://good.test/";
            assertThat(curl(by, "-H", "Host: good.test:443", url).output()).endsWith("200");
            assertThat(curl(by, "-H", "X-Forwarded-Host: evil.test", url).output()).endsWith("200");
            assertThat(https.seen())
                    .hasSize(2)
                    .allSatisfy(seen -> {
                        assertThat(seen.headers().get("Host")).containsExactly("good.test");
                        assertThat(seen.headers()).doesNotContainKey("X-forwarded-host");
                    });
            for (List<String> trick :
                    List.of(
                            List.of("-H", "Host: evil.test"),
                            List.of("-H", "Host: evil.test:443"),
                            List.of("-H", "Host;", "--http1.1"),
                            List.of("-H", "Host:", "--http1.1"),
                            List.of("--http1.1", "--request-target", "https://evil.test/"),
                            List.of("--http1.1", "--request-target", "http://good.test/"))) {
                List<String> line = new ArrayList<>(trick);
                line.add(url);
                assertThat(curl(by, line.toArray(String[]::new)).output())
                        .as("%s", trick)
                        .matches("(?s).*(400|403|421)");
            }
            assertThat(https.seen()).hasSize(2);
        }
    }

    /// D20 and D22: a tunnel to a port of TLS is no way for anything else.
    @Test
    void bytesThatAreNotTls_endTheTunnel() throws Exception {
        assertThat(curl(ProxyClient.HTTP, "https://good.test/").output()).endsWith("200");
        https.seen().clear();
        int before = tls.accepted();
        for (int port : new int[] {443, 8443}) {
            for (String said :
                    List.of(
                            "GET /forbidden HTTP/1.1\r\nHost: good.test\r\n\r\n",
                            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                            "SSH-2.0-OpenSSH_9.2\r\n",
                            "EHLO x\r\n",
                            "\u0080\u0000\u0001",
                            "\u0005\u0001\u0000",
                            ProxyClient.connect("evil.test:443"))) {
                try (Socket socket = proxy.tunnel("good.test:" + port)) {
                    socket.getOutputStream().write(ProxyClient.bytes(said));
                    assertThat(Client.rest(socket)).doesNotContain("HTTP/1.1");
                }
            }
        }
        assertThat(https.seen()).isEmpty();
        assertThat(tls.accepted()).isEqualTo(before);
        refused("good.test", "not TLS");
    }

    /// D21: a client that waits for the server to speak holds its tunnel for as long as any other
    /// silent one.
    @Test
    void clientThatWaitsForTheServerToSpeak_isResetAfterTheDeadline() throws Exception {
        try (Socket socket = proxy.tunnel("good.test:443")) {
            assertThat(Client.rest(socket))
                    .as("a fatal alert")
                    .isEqualTo("\u0015\u0003\u0003\0\u0002\u0002p");
        }
        try (Socket socket = proxy.socks(ProxyClient.byName("good.test", 8443))) {
            assertThat(ProxyClient.reply(socket)).isZero();
            assertThat(Client.rest(socket)).isEqualTo("[reset]");
        }
        refused("good.test", "no ClientHello came in time");
        assertThat(
                        inside.run(
                                        "timeout",
                                        "8",
                                        "ssh",
                                        "-F",
                                        "none",
                                        "-o",
                                        "StrictHostKeyChecking=no",
                                        "-o",
                                        "UserKnownHostsFile=/dev/null",
                                        "-o",
                                        "ProxyCommand=socat - PROXY:proxy.glovebox.internal:%h:443,proxyport=3128",
                                        "good.test")
                                .exit())
                .isEqualTo(255);
    }

    @Test
    void bytesBehindTheProxyRequest_goOnToTheDestination() throws Exception {
        String get = "GET /early HTTP/1.0\r\nHost: good.test:7000\r\n\r\n";
        try (Socket socket = proxy.http(ProxyClient.connect("good.test:7000") + get)) {
            assertThat(Client.rest(socket))
                    .matches(
                            "(?s)HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.[01] 200.*/early.*");
        }
        try (Socket socket =
                proxy.socks(
                        ProxyClient.concat(
                                ProxyClient.byName("good.test", 7000), ProxyClient.bytes(get)))) {
            assertThat(ProxyClient.reply(socket)).isZero();
            assertThat(Client.rest(socket)).contains("200 OK", "/early");
        }
        try (Socket socket = proxy.http(ProxyClient.connect("good.test:7000") + get)) {
            socket.shutdownOutput();
            assertThat(Client.rest(socket)).contains("200 OK", "/early");
        }
        int before = tls.accepted();
        try (Socket socket =
                proxy.socks(
                        ProxyClient.concat(
                                ProxyClient.byName("good.test", 8443), HELLO_FOR_GOOD_TEST))) {
            assertThat(ProxyClient.reply(socket)).isZero();
            await().until(() -> tls.accepted() == before + 1);
        }
    }

    /// A request in the clear is for a rule that reads it.
    @Test
    void requestInTheClearForARuleOfAnotherProtocol_isToldOfConnect() throws Exception {
        assertThat(curl(ProxyClient.HTTP, "http://good.test/").output()).endsWith("200");
        web.seen().clear();
        int before = tls.accepted();
        for (int port : new int[] {443, 8443, 7000}) {
            assertThat(curl(ProxyClient.HTTP, "http://good.test:" + port + "/x").output())
                    .contains("good.test:" + port, "not http: ask the proxy for it with CONNECT")
                    .endsWith("403");
        }
        assertThat(https.seen()).isEmpty();
        assertThat(web.seen()).isEmpty();
        assertThat(tls.accepted()).isEqualTo(before);
    }

    @Test
    void requestsInPieces_areReadAllTheSame() throws Exception {
        byte[] connect = ProxyClient.bytes(ProxyClient.connect("good.test:7000"));
        try (Socket socket = proxy.http("")) {
            socket.setTcpNoDelay(true);
            for (byte each : connect) {
                socket.getOutputStream().write(each);
            }
            assertThat(ProxyClient.head(socket)).startsWith("HTTP/1.1 200");
        }
        byte[] login = HexFormat.of().parseHex("0501020103666f6f0362617205010003");
        byte[] rest = ProxyClient.bytes("\tgood.test\u001bX");
        try (Socket socket = proxy.socks(new byte[0])) {
            socket.setTcpNoDelay(true);
            for (byte each : ProxyClient.concat(login, rest)) {
                socket.getOutputStream().write(each);
            }
            byte[] replies = socket.getInputStream().readNBytes(14);
            assertThat(replies).startsWith(5, 2, 1, 0, 5, 0, 0, 1).hasSize(14);
        }
    }

    @Test
    void tunnelsHeldOverAPolicyChange_areCut() throws Exception {
        Socket http = later(proxy.tunnel("good.test:7000"));
        Socket socks = later(proxy.socks(ProxyClient.byName("good.test", 7000)));
        assertThat(ProxyClient.reply(socks)).isZero();
        Socket stays = later(proxy.tunnel("good.test:80"));
        for (Socket each : List.of(http, socks, stays)) {
            get(each, each.equals(stays) ? "good.test" : "good.test:7000");
        }
        long changed = System.nanoTime();
        door.policy(policy(POLICY.replaceFirst("(?m)^.*name: raw.*$", "")));
        for (Socket each : List.of(http, socks)) {
            assertThat(Client.rest(each)).endsWith("[reset]");
        }
        assertThat(Duration.ofNanos(System.nanoTime() - changed)).isLessThan(Duration.ofSeconds(1));
        get(stays, "good.test");
        try (Socket again = proxy.http(ProxyClient.connect("good.test:7000"))) {
            assertThat(ProxyClient.head(again)).startsWith("HTTP/1.1 403");
        }
        refused("good.test", "the policy has changed");
    }

    private static void get(Socket socket, String host) throws IOException {
        socket.getOutputStream()
                .write(ProxyClient.bytes("GET /g HTTP/1.1\r\nHost: " + host + "\r\n\r\n"));
        assertThat(ProxyClient.head(socket)).startsWith("HTTP/1.1 200");
        assertThat(socket.getInputStream().readNBytes(("GET /g " + host).length()))
                .isEqualTo(ProxyClient.bytes("GET /g " + host));
    }

    @Test
    void everyWayIn_hasTheSameRecords() throws Exception {
        String url = "http://good.test/r";
        assertThat(inside.curl(url).output()).endsWith("200");
        assertThat(curl(ProxyClient.HTTP, url).output()).endsWith("200");
        assertThat(curl(ProxyClient.HTTP, "-p", url).output()).endsWith("200");
        assertThat(curl(ProxyClient.SOCKS, url).output()).endsWith("200");
        assertThat(curl(ProxyClient.SOCKS_ADDRESS, url).output()).endsWith("200");
        await().untilAsserted(() -> assertThat(records("end")).hasSize(5));

        List<String> dialled = new ArrayList<>();
        for (JsonNode record : records("connection")) {
            assertThat(record.path("host").asString()).isEqualTo("good.test");
            assertThat(record.path("port").asInt()).isEqualTo(80);
            assertThat(record.path("rule").asString()).isEqualTo("clear");
            assertThat(record.path("verdict").asString()).isEqualTo("allow");
            dialled.add(record.path("dialled").asString());
        }
        assertThat(dialled).hasSize(5);
        assertThat(dialled.getFirst()).matches("(198\\.18\\.1\\.|\\[fd67:).*:80");
        assertThat(dialled.subList(1, 5))
                .allMatch(text -> text.matches("(198\\.18\\.0\\.1|\\[fd67:6c62.*):(3128|1080)"));
        assertThat(records("request"))
                .hasSize(5)
                .allSatisfy(record -> assertThat(record.path("path").asString()).isEqualTo("/r"));
        assertThat(records("end"))
                .allSatisfy(record -> {
                    assertThat(record.path("bytes_out").asLong()).isGreaterThan(50);
                    assertThat(record.path("bytes_in").asLong()).isGreaterThan(50);
                });
    }

    private List<JsonNode> records(String event) throws IOException {
        List<JsonNode> records = new ArrayList<>();
        new AuditTrail(directory.resolve("audit"))
                .query(record -> record.path("event").asString("").equals(event), records::add);
        return records;
    }
}
