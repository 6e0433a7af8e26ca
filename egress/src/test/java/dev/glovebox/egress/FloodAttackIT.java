package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.HostName;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A sandbox that spends what it can at its door: what this process holds stays within bounds, the
/// door says which limit it was, and the door of a neighbour hardly notices.
class FloodAttackIT {
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

    /// Opens connections as fast as it can, counts how many are still open, and holds these.
    private static final String MANY =
            """
            import resource, select, socket, sys
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
            held, tried = [], 0
            for _ in range(int(sys.argv[2])):
                one = socket.socket()
                one.settimeout(20)
                tried += 1
                try:
                    one.connect((sys.argv[1], 80))
                    held.append(one)
                except OSError:
                    pass
            poll = select.poll()
            for one in held:
                poll.register(one, select.POLLRDHUP)
            gone = set()
            while len(held) - len(gone) > int(sys.argv[3]):
                gone |= {fd for fd, _ in poll.poll(1000)}
                for fd in gone:
                    try:
                        poll.unregister(fd)
                    except KeyError:
                        pass
            print(tried, "tried", flush=True)
            sys.stdin.read()
            """;

    @TempDir Path directory;
    private FakeWeb web;
    private Doors doors;
    private Door door;
    private Door beside;
    private String good;

    @BeforeEach
    void open() throws Exception {
        web = new FakeWeb();
        doors = Doors.open(EgressConfig.at(directory.resolve("doors")).withLimits(LIMITS));
        EgressPolicy policy =
                EgressPolicy.parse(
                        "rules: [{name: web, host: good.test, protocol: http, action: allow, connect:"
                                + " '127.0.0.1:"
                                + web.port()
                                + "'}]");
        door = doors.open("one", policy);
        beside = doors.open("two", policy);
        for (Door each : List.of(door, beside)) {
            InetAddress address =
                    each.names().addressesOf(HostName.parse("good.test")).orElseThrow().four();
            good = address.getHostAddress();
        }
    }

    @AfterEach
    void close() {
        doors.close();
        web.close();
    }

    private static String request() {
        return "GET /n HTTP/1.1\r\nHost: good.test\r\nConnection: close\r\n\r\n";
    }

    private Process flood(int connections) throws IOException {
        return new Inside(door, directory)
                .start(
                        "/usr/bin/python3",
                        "-c",
                        MANY,
                        good,
                        "" + connections,
                        "" + LIMITS.connections());
    }

    @Test
    void tenThousandConnections_costWhatTheLimitAllows() throws Exception {
        Neighbour neighbour = new Neighbour(beside, "good.test");
        long before = Neighbour.memory();
        Process flood = flood(10_000);
        try (BufferedReader output = flood.inputReader()) {
            neighbour.hardlyNotices();
            assertThat(output.readLine()).isEqualTo("10000 tried");
            neighbour.hardlyNotices();
            assertThat(Neighbour.memory() - before).isLessThan(64 * Neighbour.MEBI);
        } finally {
            flood.destroyForcibly();
        }
        assertThat(door.denialsSince(Instant.EPOCH))
                .extracting(Denial::reason)
                .contains("more than 256 connections at a time");
        assertThat(beside.denialsSince(Instant.EPOCH)).isEmpty();
    }

    @Test
    void gigabyteOfHeaders_isCutAtTheLimit() throws Exception {
        Neighbour neighbour = new Neighbour(beside, "good.test");
        long before = Neighbour.memory();
        byte[] line = ("X: " + "a".repeat(8000) + "\r\n").getBytes(StandardCharsets.US_ASCII);
        for (int i = 0; i < 8; i++) {
            long sent = 0;
            try (Socket socket = new Client(door).connect(good, 80)) {
                socket.getOutputStream()
                        .write(
                                "GET / HTTP/1.1\r\nHost: good.test\r\n"
                                        .getBytes(StandardCharsets.US_ASCII));
                while (sent < 1024 * Neighbour.MEBI) {
                    socket.getOutputStream().write(line);
                    sent += line.length;
                }
            } catch (SocketException e) {
                // cut
            }
            assertThat(sent).isLessThan(1024 * Neighbour.MEBI);
        }
        assertThat(Neighbour.memory() - before).isLessThan(32 * Neighbour.MEBI);
        assertThat(web.seen()).allMatch(seen -> seen.line().equals("GET /n"));
        neighbour.hardlyNotices();
    }

    @Test
    void headThatTricklesIn_isCutAtTheDeadline() throws Exception {
        assertThat(new Client(door).say(good, 80, request())).startsWith("HTTP/1.1 200");
        Instant start = Instant.now();
        String answer;
        try (Socket socket = new Client(door).connect(good, 80)) {
            socket.setSoTimeout(50);
            answer = trickle(socket, start.plusSeconds(60));
        }
        assertThat(answer).isEqualTo("[reset]");
        assertThat(door.denialsSince(start))
                .extracting(Denial::reason)
                .contains("no request came in time");
    }

    /// A byte of a head that never ends each time nothing has come back for a while.
    private static String trickle(Socket socket, Instant end) throws IOException {
        while (Instant.now().isBefore(end)) {
            try {
                socket.getOutputStream().write('G');
                return "read " + socket.getInputStream().read();
            } catch (java.net.SocketTimeoutException e) {
                // still open
            } catch (SocketException e) {
                return "[reset]";
            }
        }
        return "[still open]";
    }
}
