package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.glovebox.egress.tls.TestAuthority;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.HostName;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Rules of protocol `https`, by the programs an agent would use.
class HttpsIT {
    private static final String SECRET = "sk-hush-0123456789";

    @TempDir Path directory;
    private final List<HostName> lookedUp = new CopyOnWriteArrayList<>();
    private TestAuthority internet;
    private Doors doors;
    private FakeHttps web;
    private Door door;
    private Inside inside;
    private Instant start;

    @BeforeEach
    void open() throws Exception {
        internet = new TestAuthority("Fake Internet Root");
        web = new FakeHttps(internet.vouch("good.test"));
        Path key = Files.writeString(directory.resolve("key"), SECRET + "\n");
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        doors =
                Doors.open(
                        new EgressConfig(
                                        directory.resolve("doors"),
                                        DoorLimits.DEFAULT,
                                        this::resolve)
                                .withRoots(internet.write(directory.resolve("roots.pem")))
                                .withContact("platform@example.com"));
        door = doors.open("one", policy(key));
        inside = new Inside(door, directory);
        Files.copy(door.trustFiles().bundle(), directory.resolve("bundle.pem"));
        start = Instant.now();
    }

    private EgressPolicy policy(Path key) {
        return EgressPolicy.parse(
                """
                rules:
                  - {name: web, host: good.test, protocol: https, action: allow, connect: "127.0.0.1:WEB"}
                  - {name: api, host: good.test, port: 8443, protocol: https, action: allow, connect: "127.0.0.1:WEB",
                     credential: key}
                  - {name: other, host: other.test, protocol: https, action: allow, connect: "127.0.0.1:WEB"}
                  - {name: never, host: never.test, action: deny}
                  - {name: clear, host: never.test, port: 8080, protocol: http, action: allow}
                credentials:
                  - {name: key, format: "Bearer {}", source: {file: KEY}}
                """
                        .replace("WEB", "" + web.port())
                        .replace("KEY", key.toString()));
    }

    private List<InetAddress> resolve(HostName name) {
        lookedUp.add(name);
        return List.of(InetAddress.ofLiteral("127.0.0.1"));
    }

    @AfterEach
    void close() throws Exception {
        doors.close();
        web.close();
    }

    private Inside.Result curl(String... arguments) throws Exception {
        List<String> all =
                new ArrayList<>(List.of("--cacert", directory.resolve("bundle.pem").toString()));
        all.addAll(List.of(arguments));
        return inside.curl(all.toArray(String[]::new));
    }

    private void allowedWayWorks() throws Exception {
        assertThat(curl("https://good.test/ok").output()).isEqualTo("GET /ok good.test\n200");
        web.seen().clear();
    }

    private void refused(String destination, String reason) {
        await().untilAsserted(() ->
                assertThat(door.denialsSince(start))
                        .anyMatch(d ->
                                d.destination().equals(destination)
                                        && d.reason().contains(reason)));
    }

    @Test
    void requestsPass_overEitherVersion() throws Exception {
        assertThat(curl("--http1.1", "https://good.test/1").output())
                .isEqualTo("GET /1 good.test\n200");
        assertThat(
                        curl(
                                        "--http2",
                                        "-w",
                                        "\n%{http_version} %{http_code}",
                                        "https://good.test/2")
                                .output())
                .isEqualTo("GET /2 good.test\n2 200");
        assertThat(curl("--http1.0", "https://good.test/0").output())
                .isEqualTo("GET /0 good.test\n200");
        assertThat(curl("-I", "https://good.test/head").output())
                .contains("200")
                .doesNotContainIgnoringCase("alt-svc");
        assertThat(curl("--http1.1", "https://good.test/a", "https://good.test/b").output())
                .contains("GET /a good.test", "GET /b good.test");
    }

    @Test
    void largeBodiesPassBothWays() throws Exception {
        Path body = Files.write(directory.resolve("body"), new byte[5_000_000]);
        for (String version : List.of("--http1.1", "--http2")) {
            assertThat(curl(version, "-T", body.toString(), "https://good.test/up").output())
                    .as(version)
                    .isEqualTo("PUT /up good.test 5000000\n200");
            assertThat(
                            curl(
                                            version,
                                            "-o",
                                            "/dev/null",
                                            "-w",
                                            "%{size_download}",
                                            "https://good.test/big/30000000")
                                    .output())
                    .as(version)
                    .isEqualTo("30000000");
        }
    }

    @Test
    void credentialIsAddedOutside() throws Exception {
        assertThat(curl("-H", "Authorization: mine", "https://good.test:8443/key").output())
                .isEqualTo("GET /key good.test:8443\n200");
        assertThat(web.seen().getFirst().headers().get("Authorization"))
                .containsExactly("Bearer " + SECRET);
        assertThat(curl("https://good.test/none").exit()).isZero();
        assertThat(web.seen().getLast().headers()).doesNotContainKey("Authorization");
    }

    @Test
    void otherNameInTheHello_isRefused() throws Exception {
        allowedWayWorks();
        Inside.Result evil =
                curl("--connect-to", "evil.test:443:good.test:443", "https://evil.test/");
        assertThat(evil.exit()).isEqualTo(35);
        assertThat(evil.output()).contains("unrecognized name");
        refused("good.test", "names another host");
        assertThat(web.seen()).isEmpty();
    }

    @Test
    void otherHostInTheRequest_isMisdirected() throws Exception {
        allowedWayWorks();
        for (String version : List.of("--http1.1", "--http2")) {
            assertThat(curl(version, "-H", "Host: evil.test", "https://good.test/").output())
                    .as(version)
                    .contains("Glovebox refused", "names another host")
                    .endsWith("421");
        }
        assertThat(web.seen()).isEmpty();
    }

    @Test
    void refusedHost_isToldOverItsOwnCertificate() throws Exception {
        allowedWayWorks();
        for (String version : List.of("--http1.1", "--http2")) {
            assertThat(curl(version, "https://never.test/x").output())
                    .as(version)
                    .contains("never.test:443", "rule \"never\"", "ask platform@example.com")
                    .endsWith("403");
        }
        assertThat(curl("http://never.test/x").output())
                .contains("never.test:80", "ask platform@example.com")
                .endsWith("403");
        assertThat(curl("-I", "https://never.test/x").output()).endsWith("403");
        refused("never.test", "rule \"never\" denies it");
        assertThat(lookedUp).isEmpty();
    }

    @Test
    void redirectToElsewhere_isHandedToTheClientAndNeverFollowed() throws Exception {
        allowedWayWorks();
        for (int status : List.of(301, 302, 303, 307, 308)) {
            assertThat(curl("-i", "https://good.test/status/" + status).output())
                    .containsIgnoringCase("location: https://evil.test/")
                    .endsWith("" + status);
        }
        assertThat(web.seen()).hasSize(5);
        assertThat(lookedUp).isEmpty();
    }

    @Test
    void bytesThatAreNotTls_endTheConnection() throws Exception {
        allowedWayWorks();
        String address =
                door.names()
                        .addressesOf(HostName.parse("good.test"))
                        .orElseThrow()
                        .four()
                        .getHostAddress();
        Client client = new Client(door);
        for (String bytes :
                List.of(
                        "GET /forbidden HTTP/1.1\r\nHost: good.test\r\n\r\n",
                        "SSH-2.0-x\r\n",
                        "EHLO x\r\n",
                        "\u0080\u0000\u0001")) {
            assertThat(client.say(address, 443, bytes)).doesNotContain("200 OK");
        }
        refused("good.test", "not TLS");
        assertThat(web.seen()).isEmpty();
    }

    @Test
    void programsThatDoNotTrustTheDoor_areToldOfInTheDenials() throws Exception {
        allowedWayWorks();
        assertThat(inside.curl("https://good.test/").exit()).isEqualTo(60);
        refused("good.test", "does not accept the certificate");
        assertThat(web.seen()).isEmpty();
    }
}
