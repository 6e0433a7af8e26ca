package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.egress.EgressPolicy;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufAllocatorMetricProvider;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Clients of the proxies that are slow, silent, endless or senseless: each ends at a limit, what
/// this process holds stays within bounds, and the next client is served.
class ProxyFloodIT {
    private static final long MEBI = 1024 * 1024;
    private static final int HTTP = 3128;
    private static final int SOCKS = 1080;
    private static final DoorLimits SMALL =
            new DoorLimits(
                    50,
                    Duration.ofSeconds(5),
                    Duration.ofMillis(500),
                    Duration.ofSeconds(20),
                    16 * 1024,
                    100,
                    100,
                    Duration.ofSeconds(30));

    @TempDir Path directory;
    private FakeWeb web;
    private Doors doors;
    private Door door;
    private Client client;
    private ProxyClient proxy;

    @BeforeEach
    void open() throws Exception {
        web = new FakeWeb();
        doors = Doors.open(EgressConfig.at(directory.resolve("doors")).withLimits(SMALL));
        door =
                doors.open(
                        "one",
                        EgressPolicy.parse(
                                """
                                rules:
                                  - {name: web, host: good.test, protocol: http, action: allow, connect: "127.0.0.1:WEB"}
                                  - {name: raw, host: good.test, port: 7000, protocol: tcp, action: allow, connect: "127.0.0.1:WEB"}
                                """
                                        .replace("WEB", "" + web.port())));
        client = new Client(door);
        proxy = new ProxyClient(door);
    }

    @AfterEach
    void close() {
        doors.close();
        web.close();
    }

    private void othersAreServed() throws IOException {
        assertThat(proxy.answer("GET http://good.test/ok HTTP/1.1\r\nHost: good.test\r\n\r\n"))
                .startsWith("HTTP/1.1 200");
        assertThat(proxy.socksReply(ProxyClient.byName("good.test", 7000))).isZero();
    }

    /// The heap that survives a collection, and the buffers outside of it.
    private static long memory() {
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed()
                + ((ByteBufAllocatorMetricProvider) ByteBufAllocator.DEFAULT)
                        .metric()
                        .usedDirectMemory();
    }

    private void denied(String reason) {
        assertThat(door.denialsSince(Instant.EPOCH))
                .anyMatch(denial ->
                        denial.destination().equals("proxy.glovebox.internal")
                                && denial.reason().equals(reason));
    }

    @Test
    void clientThatSaysNothingOrNotEnough_isResetAfterTheDeadline() throws Exception {
        othersAreServed();
        for (String said : List.of("", "C", "CONNECT good.test:7000 HTTP/1.1\r\nA: b\r\n")) {
            try (Socket silent = proxy.http(said)) {
                assertThat(Client.rest(silent)).as(said).isEqualTo("[reset]");
            }
        }
        denied("no request came in time");
        for (byte[] said : List.of(new byte[0], new byte[] {5}, new byte[] {5, 3, 0})) {
            try (Socket silent = proxy.socks(said)) {
                assertThat(Client.rest(silent)).isEqualTo("[reset]");
            }
        }
        try (Socket greeted = proxy.socks(new byte[] {5, 1, 0, 5, 1})) {
            assertThat(Client.rest(greeted)).isEqualTo("\u0005\0[reset]");
        }
        denied("no SOCKS request came in time");
        othersAreServed();
    }

    @Test
    void requestThatTricklesIn_isCutAtTheDeadline() throws Exception {
        for (int port : new int[] {HTTP, SOCKS}) {
            try (Socket slow = client.connect(ProxyClient.ADDRESS, port)) {
                slow.setSoTimeout(50);
                if (port == SOCKS) {
                    slow.getOutputStream().write(new byte[] {5, (byte) 255});
                }
                assertThat(trickle(slow)).isEqualTo("[reset]");
            }
        }
        othersAreServed();
    }

    /// A byte of a head that never ends, or of a list of 255 ways to log in, each time nothing has
    /// come back for a while.
    private static String trickle(Socket socket) throws IOException {
        Instant end = Instant.now().plusSeconds(60);
        while (Instant.now().isBefore(end)) {
            try {
                socket.getOutputStream().write('G');
                return "read " + socket.getInputStream().read();
            } catch (SocketTimeoutException e) {
                // still open
            } catch (SocketException e) {
                return "[reset]";
            }
        }
        return "[still open]";
    }

    @Test
    void halfOfARequestAndItsEnd_endsTheConnectionAtOnce() throws Exception {
        othersAreServed();
        Instant start = Instant.now();
        for (String said : List.of("", "CONN", "CONNECT good.test:7000 HTTP/1.1\r\nHost:")) {
            try (Socket half = proxy.http(said)) {
                half.shutdownOutput();
                assertThat(Client.rest(half)).as(said).matches("(?s)(HTTP/1.1 400.*)?");
            }
        }
        for (byte[] said : List.of(new byte[0], new byte[] {5}, new byte[] {5, 1, 0, 5, 1, 0})) {
            try (Socket half = proxy.socks(said)) {
                half.shutdownOutput();
                assertThat(Client.rest(half)).matches("(\u0005\0)?");
            }
        }
        assertThat(Duration.between(start, Instant.now()))
                .isLessThan(SMALL.firstBytes().multipliedBy(6));
        othersAreServed();
    }

    @Test
    void gigabyteOfHead_isCutAtTheLimit() throws Exception {
        othersAreServed();
        long before = memory();
        byte[] line = ProxyClient.bytes("X: " + "a".repeat(8000) + "\r\n");
        byte[] name = new byte[8 * 1024];
        for (String head :
                List.of(
                        "CONNECT good.test:7000 HTTP/1.1\r\n",
                        "GET http://good.test/ HTTP/1.1\r\nHost: good.test\r\n")) {
            assertThat(sent(HTTP, ProxyClient.bytes(head), line)).isLessThan(64 * MEBI);
        }
        assertThat(sent(HTTP, ProxyClient.bytes("CONNECT "), name)).isLessThan(64 * MEBI);
        assertThat(sent(SOCKS, new byte[] {5, (byte) 255}, name)).isLessThan(64 * MEBI);
        assertThat(memory() - before).isLessThan(32 * MEBI);
        assertThat(web.seen()).allMatch(seen -> seen.line().equals("GET /ok"));
        othersAreServed();
    }

    private long sent(int port, byte[] first, byte[] more) throws IOException {
        long sent = 0;
        try (Socket socket = client.connect(ProxyClient.ADDRESS, port)) {
            socket.getOutputStream().write(first);
            while (sent < 1024 * MEBI) {
                socket.getOutputStream().write(more);
                sent += more.length;
            }
        } catch (SocketException e) {
            // cut
        }
        return sent;
    }

    @Test
    void junk_reachesNobodyAndHurtsNobody() throws Exception {
        othersAreServed();
        int seen = web.seen().size();
        SplittableRandom random = new SplittableRandom(7);
        for (int i = 0; i < 400; i++) {
            byte[] junk = new byte[random.nextInt(1, 600)];
            random.nextBytes(junk);
            if (i % 4 == 1) {
                junk[0] = 5;
            }
            try (Socket socket = client.connect(ProxyClient.ADDRESS, i % 2 == 0 ? HTTP : SOCKS)) {
                socket.getOutputStream().write(junk);
                socket.shutdownOutput();
                assertThat(Client.rest(socket)).as("case %s", i).doesNotContain("[nothing more]");
            } catch (SocketException e) {
                // the door has heard enough already
            }
        }
        assertThat(web.seen()).hasSize(seen);
        othersAreServed();
    }

    @Test
    void fiveHundredConnections_areHeldToTheLimit() throws Exception {
        othersAreServed();
        long before = memory();
        List<Socket> sockets = new ArrayList<>();
        int refused = 0;
        for (int i = 0; i < 500; i++) {
            try {
                sockets.add(client.connect(ProxyClient.ADDRESS, i % 2 == 0 ? HTTP : SOCKS));
            } catch (IllegalStateException e) {
                refused++;
            }
        }
        int ended = 0;
        for (Socket socket : sockets) {
            ended += Client.rest(socket).equals("[reset]") ? 1 : 0;
            socket.close();
        }
        assertThat(refused + ended).isEqualTo(500);
        assertThat(memory() - before).isLessThan(32 * MEBI);
        assertThat(door.denialsSince(Instant.EPOCH))
                .anyMatch(denial -> denial.reason().contains("more than 50"));
        othersAreServed();
    }
}
