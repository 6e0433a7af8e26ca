package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.protocol.egress.EgressPolicy;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NoRouteToHostException;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/// Ways around the policy, tried from inside a sandbox's namespace against a fake internet whose
/// every packet is counted. Each test proves first that the allowed way leads out.
class BypassAttackIT {
    private static final String POLICY =
            """
            rules:
              - {name: web, host: good.test, protocol: http, action: allow}
              - {name: six, host: "2001:db8::10", port: 80, protocol: http, action: allow}
              - {name: raw, host: good.test, port: 81, protocol: tcp, action: allow, connect: "203.0.113.10:80"}
              - {name: rebound, host: "*.rebound.test", protocol: http, action: allow}
            """;

    @RegisterExtension final Internet internet = new Internet();

    @TempDir Path directory;
    private Doors doors;
    private Door door;
    private Inside inside;
    private FakeWeb good;
    private final List<FakeWeb> canaries = new ArrayList<>();

    @BeforeEach
    void open() throws Exception {
        good = internet.web(Internet.GOOD);
        for (String address :
                List.of(
                        Internet.EVIL,
                        Internet.EVIL_6,
                        Internet.INTRANET,
                        Internet.METADATA,
                        Internet.METADATA_6)) {
            canaries.add(internet.web(address));
        }
        doors =
                internet.doors(
                        new EgressConfig(
                                directory.resolve("doors"),
                                DoorLimits.DEFAULT,
                                internet.resolver()));
        door = internet.door(doors, "one", EgressPolicy.parse(POLICY));
        inside = new Inside(door, directory);
    }

    private void allowedWayLeadsOut() throws Exception {
        long before = internet.packets();
        assertThat(inside.curl("http://good.test/ok").output()).isEqualTo("GET /ok good.test\n200");
        assertThat(internet.packets()).isGreaterThan(before);
        good.seen().clear();
    }

    private void nothingReached() {
        assertThat(canaries).allSatisfy(canary -> assertThat(canary.seen()).isEmpty());
    }

    @Test
    void directConnection_putsNoPacketOnTheWire() throws Exception {
        allowedWayLeadsOut();
        long before = internet.packets();
        for (String address :
                List.of(Internet.EVIL, Internet.EVIL_6, Internet.GOOD, Internet.HOST)) {
            for (int port : new int[] {22, 25, 443, 8080, 9999}) {
                assertThat(
                                bash(
                                        "exec 3<>/dev/tcp/"
                                                + address
                                                + "/"
                                                + port
                                                + " && echo x >&3 && read -t 5 x <&3"))
                        .as("%s port %s", address, port)
                        .isNotZero();
            }
            for (int port : new int[] {53, 123, 443, 3478}) {
                bash(
                        "exec 3<>/dev/udp/"
                                + address
                                + "/"
                                + port
                                + " && echo x >&3 && read -t 1 x <&3");
            }
        }
        for (String socket :
                List.of(
                        "AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP",
                        "AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW",
                        "AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP",
                        "AF_INET6, socket.SOCK_RAW, 58",
                        "AF_PACKET, socket.SOCK_RAW, 3")) {
            Inside.Result answer =
                    inside.run(
                            "/usr/bin/python3",
                            "-c",
                            "import socket; socket.socket(socket." + socket + ")");
            assertThat(answer.output()).as(socket).contains("PermissionError");
        }
        assertThat(
                        bash(
                                "ip route add default dev lo; ip link add d0 type dummy; ip tuntap add mode tun"))
                .isNotZero();
        assertThat(internet.packets()).isEqualTo(before);
        nothingReached();
    }

    private int bash(String script) throws Exception {
        return inside.run("bash", "-c", "PATH=$PATH:/usr/sbin:/sbin; " + script).exit();
    }

    @Test
    void nameThatTurnsPrivate_isNotDialledWhateverElseItResolvesTo() throws Exception {
        internet.name("a.rebound.test", Internet.GOOD);
        assertThat(inside.curl("http://a.rebound.test/public").output()).endsWith("200");
        good.seen().clear();

        internet.webOfHost(Internet.HOST, 80);
        for (String trap :
                List.of(
                        Internet.INTRANET,
                        Internet.METADATA,
                        Internet.METADATA_6,
                        Internet.HOST,
                        Internet.HOST_6,
                        "127.0.0.1",
                        "::1",
                        "0.0.0.0",
                        "::ffff:10.0.0.5",
                        "64:ff9b::a00:5",
                        "198.18.1.0")) {
            internet.name("a.rebound.test", trap);
            long before = internet.packets();
            assertThat(inside.curl("http://a.rebound.test/trap").output())
                    .as(trap)
                    .endsWith("502")
                    .contains("no public address");
            assertThat(internet.packets()).as(trap).isEqualTo(before);

            internet.name("a.rebound.test", trap, Internet.GOOD);
            assertThat(inside.curl("http://a.rebound.test/mixed").output())
                    .as(trap)
                    .endsWith("200");
        }
        nothingReached();
        assertThat(good.seen())
                .isNotEmpty()
                .allSatisfy(seen -> assertThat(seen.line()).isEqualTo("GET /mixed"));
    }

    @Test
    void listenersOfTheWorkersMachine_areOutOfReach() throws Exception {
        allowedWayLeadsOut();
        List<FakeWeb> own =
                List.of(
                        internet.webOfHost("127.0.0.1", 8800),
                        internet.webOfHost("0.0.0.0", 9999),
                        internet.webOfHost(Internet.HOST_6, 80),
                        internet.webOfHost(Internet.HOST, 80));
        for (String name : List.of(Internet.HOST, Internet.HOST_6, "127.0.0.1", "::1")) {
            internet.name("worker.rebound.test", name);
            assertThat(inside.curl("http://worker.rebound.test/").output())
                    .as(name)
                    .endsWith("502");
        }
        for (String target :
                List.of(
                        "127.0.0.1:8800",
                        "127.0.0.1:9999",
                        "192.0.2.2:9999",
                        "192.0.2.2",
                        "[fd99::2]",
                        "[::ffff:192.0.2.2]:9999",
                        "0.0.0.0:9999",
                        "localhost:8800")) {
            assertThat(inside.curl("-f", "http://" + target + "/").exit()).as(target).isNotZero();
        }
        assertThat(own).allSatisfy(canary -> assertThat(canary.seen()).isEmpty());
        assertThat(internet.host().run("curl", "-sS", "-m", "8", "http://127.0.0.1:8800/me"))
                .startsWith("GET /me");
    }

    @Test
    void otherSandboxAndOtherUsers_cannotSpeakThroughThisDoor() throws Exception {
        allowedWayLeadsOut();
        String address = inside.run("getent", "ahostsv4", "good.test").output().split("\\s", 2)[0];
        assertThat(address).startsWith("198.18.");
        Door other = internet.door(doors, "two", EgressPolicy.DENY_ALL);
        Inside there = new Inside(other, directory);
        for (String way : List.of("--resolve good.test:80:" + address, "-H Host:good.test")) {
            List<String> line = new ArrayList<>(List.of(("-f " + way).split(" ", 3)));
            line.add(way.startsWith("-H") ? "http://" + address + "/" : "http://good.test/");
            assertThat(there.curl(line.toArray(String[]::new)).exit()).as(way).isNotZero();
        }
        assertThat(good.seen()).isEmpty();
        assertThat(Files.getPosixFilePermissions(directory.resolve("doors")))
                .isEqualTo(PosixFilePermissions.fromString("rwx------"));
        allowedWayLeadsOut();
    }

    @Test
    void whatAClientSaysAboutItself_changesNoVerdict() throws Exception {
        allowedWayLeadsOut();
        String[] claims = {
            "-H", "Proxy-Authorization: Basic dHdvOnR3bw==", "-H", "X-Sandbox: two",
            "-H", "X-Forwarded-For: 127.0.0.1", "-H", "Forwarded: for=127.0.0.1;host=evil.test"
        };
        List<String> denied = new ArrayList<>(List.of(claims));
        denied.addAll(List.of("-H", "Host: evil.test", "http://good.test/"));
        assertThat(inside.curl(denied.toArray(String[]::new)).output()).endsWith("403");
        List<String> allowed = new ArrayList<>(List.of(claims));
        allowed.add("http://good.test/");
        assertThat(inside.curl(allowed.toArray(String[]::new)).output()).endsWith("200");
        assertThat(good.seen()).hasSize(1);
        assertThat(good.seen().getFirst().headers())
                .doesNotContainKeys("Proxy-authorization", "Forwarded", "X-forwarded-host");
        nothingReached();
    }

    @Test
    void connectionHeldOverAPolicyChange_isCutWithinASecond() throws Exception {
        String address = inside.run("getent", "ahostsv4", "good.test").output().split("\\s", 2)[0];
        Client client = new Client(door);
        List<Socket> held = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            Socket socket = internet.closedLater(client.connect(address, 81));
            socket.getOutputStream()
                    .write(
                            "GET /before HTTP/1.1\r\nHost: a\r\n\r\n"
                                    .getBytes(java.nio.charset.StandardCharsets.US_ASCII));
            assertThat(socket.getInputStream().read()).isEqualTo('H');
            held.add(socket);
        }
        long start = System.nanoTime();
        door.policy(EgressPolicy.parse(POLICY.replace("203.0.113.10:80", "203.0.113.66:80")));
        for (Socket socket : held) {
            assertThat(Client.rest(socket)).endsWith("[reset]");
        }
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(1));
        nothingReached();
        allowedWayLeadsOut();
    }

    @Test
    void serverInsideTheSandbox_isNotReachedFromOutside() throws Exception {
        allowedWayLeadsOut();
        Process server =
                inside.start(
                        "/usr/bin/python3", "-u", "-m", "http.server", "8080", "--bind", "0.0.0.0");
        internet.closedLater(server::destroyForcibly);
        assertThat(server.inputReader().readLine()).contains("8080");
        assertThat(inside.curl("-o", "/dev/null", "http://127.0.0.1:8080/").output())
                .endsWith("200");
        for (Zone from : List.of(internet.host(), internet.out())) {
            for (String address : List.of(Internet.HOST, "192.0.2.1", "127.0.0.1")) {
                assertThatThrownBy(() -> from.enter(() -> connected(address)))
                        .as(address)
                        .satisfiesAnyOf(
                                e -> assertThat(e).hasCauseInstanceOf(ConnectException.class),
                                e ->
                                        assertThat(e)
                                                .hasCauseInstanceOf(NoRouteToHostException.class));
            }
        }
    }

    private static boolean connected(String address) throws IOException {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.ofLiteral(address), 8080), 5_000);
            return true;
        }
    }

    @Test
    void metadataService_isNotReachedBySpellingNameOrRedirect() throws Exception {
        allowedWayLeadsOut();
        for (String spelling :
                List.of(
                        "169.254.169.254",
                        "2852039166",
                        "0xa9fea9fe",
                        "0251.0376.0251.0376",
                        "169.254.43518",
                        "[::ffff:169.254.169.254]",
                        "[64:ff9b::a9fe:a9fe]",
                        "[fd00:ec2::254]",
                        "169.254.169.254.",
                        "metadata.google.internal",
                        "instance-data")) {
            assertThat(inside.curl("-f", "-L", "http://" + spelling + "/latest/meta-data/").exit())
                    .as(spelling)
                    .isNotZero();
        }
        for (String address : List.of(Internet.METADATA, Internet.METADATA_6)) {
            internet.name("imds.rebound.test", address);
            assertThat(inside.curl("-L", "http://imds.rebound.test/latest/").output())
                    .endsWith("502");
        }
        assertThat(inside.curl("-H", "Host: 169.254.169.254", "http://good.test/").output())
                .endsWith("403");
        nothingReached();
        assertThat(internet.host().run("curl", "-sS", "-m", "8", "http://169.254.169.254/latest/"))
                .startsWith("GET /latest/");
    }
}
