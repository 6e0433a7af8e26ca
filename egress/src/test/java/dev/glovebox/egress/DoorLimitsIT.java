package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.linux.net.NetworkNamespace;
import dev.glovebox.protocol.egress.EgressPolicy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a door spends at most, and what is left when it is gone.
class DoorLimitsIT {
    private static final DoorLimits SMALL =
            new DoorLimits(
                    50,
                    Duration.ofSeconds(5),
                    Duration.ofMillis(300),
                    Duration.ofSeconds(2),
                    16 * 1024,
                    100,
                    100,
                    Duration.ofSeconds(30));

    @TempDir Path directory;
    private final BlockingQueue<Socket> upstream = new LinkedBlockingQueue<>();
    private ServerSocket server;
    private Doors doors;
    private Door door;
    private Client client;

    @BeforeEach
    void open() throws Exception {
        server = new ServerSocket(0, 600, InetAddress.ofLiteral("127.0.0.1"));
        Thread.ofVirtual().start(this::accept);
        doors = Doors.open(EgressConfig.at(directory.resolve("doors")).withLimits(SMALL));
        door = doors.open("one", policy());
        client = new Client(door);
    }

    private EgressPolicy policy() {
        return EgressPolicy.parse(
                """
                rules:
                  - {name: raw, host: raw.test, port: 7000, protocol: tcp, action: allow, connect: "127.0.0.1:PORT"}
                  - {name: tls, host: raw.test, port: 443, protocol: tls, action: allow, connect: "127.0.0.1:PORT"}
                  - {name: web, host: raw.test, port: 80, protocol: http, action: allow, connect: "127.0.0.1:PORT"}
                """
                        .replace("PORT", "" + server.getLocalPort()));
    }

    private void accept() {
        try {
            while (true) {
                upstream.add(server.accept());
            }
        } catch (IOException e) {
            // closed
        }
    }

    @AfterEach
    void close() throws Exception {
        doors.close();
        server.close();
        for (Socket socket : upstream) {
            socket.close();
        }
    }

    private static String address(Door door) {
        return door.names()
                .addressesOf(dev.glovebox.protocol.egress.HostName.parse("raw.test"))
                .orElseThrow()
                .four()
                .getHostAddress();
    }

    private Socket joined() throws Exception {
        Socket socket = client.connect(address(door), 7000);
        Socket far = upstream.poll(8, TimeUnit.SECONDS);
        assertThat(far).isNotNull();
        socket.getOutputStream().write('x');
        assertThat(far.getInputStream().read()).isEqualTo('x');
        upstream.add(far);
        return socket;
    }

    @Test
    void fiveHundredConnections_areHeldToTheLimit() throws Exception {
        List<Socket> sockets = new ArrayList<>();
        for (int i = 0; i < 500; i++) {
            try {
                sockets.add(client.connect(address(door), 7000));
            } catch (RuntimeException e) {
                // refused already while connecting
            }
        }
        Instant end = Instant.now().plusSeconds(10);
        while (upstream.size() < SMALL.connections() && Instant.now().isBefore(end)) {
            Thread.onSpinWait();
        }
        assertThat(upstream).hasSize(SMALL.connections());
        assertThat(door.denialsSince(Instant.EPOCH))
                .anyMatch(denial -> denial.reason().contains("more than 50"));
        for (Socket socket : sockets) {
            socket.close();
        }
        upstream.clear();
        Instant free = Instant.now().plusSeconds(10);
        boolean again = false;
        while (!again && Instant.now().isBefore(free)) {
            try (Socket socket = client.connect(address(door), 7000)) {
                again = socket.isConnected() && upstream.poll(200, TimeUnit.MILLISECONDS) != null;
            } catch (IllegalStateException e) {
                // the door has not seen all of them end yet
            }
        }
        assertThat(again).isTrue();
    }

    @Test
    void clientThatSaysNothing_isResetAfterTheDeadline() throws Exception {
        joined().close();
        for (int port : new int[] {443, 80}) {
            try (Socket silent = client.connect(address(door), port)) {
                assertThat(Client.rest(silent)).isEqualTo("[reset]");
            }
            try (Socket slow = client.connect(address(door), port)) {
                slow.getOutputStream().write(port == 443 ? 22 : 'G');
                assertThat(Client.rest(slow)).isEqualTo("[reset]");
            }
        }
        assertThat(door.denialsSince(Instant.EPOCH))
                .extracting(Denial::reason)
                .contains("no ClientHello came in time", "no request came in time");
    }

    @Test
    void connectionWithoutTraffic_isCutAfterTheIdleLimit() throws Exception {
        try (Socket socket = joined()) {
            assertThat(Client.rest(socket)).isEqualTo("[reset]");
        }
    }

    @Test
    void receiverThatDoesNotRead_stopsTheSenderInsteadOfFillingMemory() throws Exception {
        try (Socket socket = joined()) {
            socket.setSendBufferSize(64 * 1024);
            Thread sender =
                    Thread.ofVirtual()
                            .start(() -> {
                                try {
                                    byte[] chunk = new byte[64 * 1024];
                                    for (int i = 0; i < 10_000; i++) {
                                        socket.getOutputStream().write(chunk);
                                    }
                                } catch (IOException e) {
                                    // cut by the idle limit, as it should be
                                }
                            });
            assertThat(sender.join(Duration.ofSeconds(1))).isFalse();
            assertThat(sender.join(Duration.ofSeconds(8))).isTrue();
        }
    }

    @Test
    void endOfOneDirection_isPassedOnAndTheOtherGoesOn() throws Exception {
        try (Socket socket = joined()) {
            Socket far = upstream.remove();
            socket.shutdownOutput();
            assertThat(far.getInputStream().read()).isEqualTo(-1);
            far.getOutputStream().write("late".getBytes(java.nio.charset.StandardCharsets.UTF_8));
            far.close();
            assertThat(Client.rest(socket)).isEqualTo("late");
        }
    }

    @Test
    void longAnswerAfterTheEndOfTheClientsSide_isReadToTheEnd() throws Exception {
        byte[] answer = new byte[20_000_000];
        try (Socket socket = joined()) {
            Socket far = upstream.remove();
            socket.shutdownOutput();
            assertThat(far.getInputStream().read()).isEqualTo(-1);
            Thread writer =
                    Thread.ofVirtual()
                            .start(() -> {
                                try (far) {
                                    far.getOutputStream().write(answer);
                                } catch (IOException e) {
                                    // cut, as the reader will tell
                                }
                            });
            assertThat(Client.rest(socket)).hasSize(answer.length);
            assertThat(writer.join(Duration.ofSeconds(8))).isTrue();
        }
    }

    @Test
    void closedDoor_cutsItsFlowsAndLeavesNothing() throws Exception {
        try (Door other = doors.open("two", policy());
                Socket cut = joined()) {
            Socket far = upstream.remove();
            Path pin = door.networkNamespace();
            Client elsewhere = new Client(other);
            try (Socket kept = elsewhere.connect(address(other), 7000)) {
                door.close();
                door.close();

                assertThat(Client.rest(cut)).isIn("", "[reset]");
                assertThat(Client.rest(far)).isIn("", "[reset]");
                assertThat(Files.exists(pin)).isFalse();
                assertThat(Files.readString(Path.of("/proc/self/mountinfo")))
                        .doesNotContain(pin.toString());
                Socket farKept = upstream.poll(8, TimeUnit.SECONDS);
                assertThat(farKept).isNotNull();
                kept.getOutputStream().write('y');
                assertThat(farKept.getInputStream().read()).isEqualTo('y');
                farKept.close();
            }
            doors.open("one", policy()).close();
        }
    }

    @Test
    void pinsOfAnEarlierLife_areRemovedAtTheStart() throws Exception {
        doors.close();
        Path left = directory.resolve("doors/dead.net");
        NetworkNamespace.create(left).sockets().close();
        assertThat(Files.readString(Path.of("/proc/self/mountinfo"))).contains(left.toString());

        doors = Doors.open(EgressConfig.at(directory.resolve("doors")).withLimits(SMALL));

        assertThat(Files.exists(left)).isFalse();
        assertThat(Files.readString(Path.of("/proc/self/mountinfo")))
                .doesNotContain(left.toString());
    }
}
