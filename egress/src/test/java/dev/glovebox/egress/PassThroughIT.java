package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.egress.audit.AuditEvent;
import dev.glovebox.protocol.egress.EgressPolicy;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Many bytes of a connection that passes unread: all of them, in order, counted, and none after
/// the end that the policy or a budget has set.
class PassThroughIT {
    private static final String GOOD = "203.0.113.7";
    private static final int OPEN = 7000;
    private static final int SPENT = 7001;
    private static final int BUDGET = 3_000_000;
    private static final int MANY = 40_000_000;
    private static final long WAIT_SECONDS = 30;

    @TempDir Path directory;
    private final BlockingQueue<AuditEvent> records = new LinkedBlockingQueue<>();
    private ServerSocket server;
    private Doors doors;
    private Door door;

    @BeforeEach
    void open() throws Exception {
        server = new ServerSocket(0, 50, InetAddress.ofLiteral("127.0.0.1"));
        doors =
                Doors.open(
                        EgressConfig.at(directory.resolve("doors"))
                                .withAudit(event -> {
                                    records.add(event);
                                    return CompletableFuture.completedFuture(0L);
                                }));
        door =
                doors.open(
                        "one",
                        EgressPolicy.parse(
                                """
                                rules:
                                  - {name: raw, host: HOST, port: 7000, protocol: tcp, action: allow, connect: "127.0.0.1:PORT"}
                                  - {name: few, host: HOST, port: 7001, protocol: tcp, action: allow, connect: "127.0.0.1:PORT",
                                     budget: {bytes: 3000000, per: 1h}}
                                """
                                        .replace("HOST", GOOD)
                                        .replace("PORT", "" + server.getLocalPort())));
    }

    @AfterEach
    void close() throws Exception {
        doors.close();
        server.close();
    }

    /// A connection through the door, as either side has it.
    private record Joined(Socket inside, Socket outside) implements AutoCloseable {
        @Override
        public void close() throws IOException {
            inside.close();
            outside.close();
        }
    }

    private Joined joined(int port) throws IOException {
        Socket inside = new Client(door).connect(GOOD, port);
        Socket outside = server.accept();
        inside.setSoTimeout((int) TimeUnit.SECONDS.toMillis(WAIT_SECONDS));
        outside.setSoTimeout((int) TimeUnit.SECONDS.toMillis(WAIT_SECONDS));
        return new Joined(inside, outside);
    }

    private static byte[] bytes(int seed) {
        byte[] made = new byte[MANY];
        new Random(seed).nextBytes(made);
        return made;
    }

    /// Writes in pieces of many sizes, then ends this side.
    private static Thread sending(Socket to, byte[] all) {
        return Thread.ofVirtual()
                .start(() -> {
                    Random sizes = new Random(5);
                    try {
                        for (int at = 0; at < all.length; ) {
                            int size = Math.min(sizes.nextInt(1, 600_000), all.length - at);
                            to.getOutputStream().write(all, at, size);
                            at += size;
                        }
                        to.shutdownOutput();
                    } catch (IOException e) {
                        // cut, as the reader will tell
                    }
                });
    }

    /// What comes until the other side ends or breaks off.
    private static int received(Socket from, byte[] into) {
        int length = 0;
        try {
            InputStream in = from.getInputStream();
            int read;
            while ((read = in.read(into, length, into.length - length)) > 0) {
                length += read;
            }
        } catch (IOException e) {
            // cut
        }
        return length;
    }

    @Test
    void manyBytesInBothDirections_arriveWholeAndAreCounted() throws Exception {
        byte[] up = bytes(1);
        byte[] down = bytes(2);
        byte[] gotUp = new byte[MANY + 1];
        byte[] gotDown = new byte[MANY + 1];
        try (Joined joined = joined(OPEN)) {
            Thread sendingUp = sending(joined.inside(), up);
            Thread sendingDown = sending(joined.outside(), down);
            Thread reading = Thread.ofVirtual().start(() -> received(joined.outside(), gotUp));
            assertThat(received(joined.inside(), gotDown)).isEqualTo(MANY);
            for (Thread each : new Thread[] {sendingUp, sendingDown, reading}) {
                assertThat(each.join(Duration.ofSeconds(WAIT_SECONDS))).isTrue();
            }
        }
        assertThat(Arrays.equals(gotUp, 0, MANY, up, 0, MANY)).isTrue();
        assertThat(Arrays.equals(gotDown, 0, MANY, down, 0, MANY)).isTrue();
        AuditEvent.End end = end();
        assertThat(end.bytesOut()).isEqualTo(MANY);
        assertThat(end.bytesIn()).isEqualTo(MANY);
    }

    private AuditEvent.End end() throws InterruptedException {
        while (true) {
            AuditEvent next = records.poll(WAIT_SECONDS, TimeUnit.SECONDS);
            assertThat(next).as("the record of the end").isNotNull();
            if (next instanceof AuditEvent.End end) {
                return end;
            }
        }
    }

    @Test
    void changeOfPolicy_cutsATransferUnderWay() throws Exception {
        try (Joined joined = joined(OPEN)) {
            sending(joined.outside(), bytes(3));
            assertThat(joined.inside().getInputStream().readNBytes(1_000_000)).hasSize(1_000_000);
            door.policy(EgressPolicy.DENY_ALL);
            assertThat(received(joined.inside(), new byte[MANY])).isLessThan(MANY - 1_000_000);
            assertThat(end().bytesIn()).isLessThan(MANY);
        }
    }

    @Test
    void spentBudget_cutsATransferUnderWay() throws Exception {
        try (Joined joined = joined(SPENT)) {
            sending(joined.outside(), bytes(4));
            assertThat(received(joined.inside(), new byte[MANY]))
                    .isPositive()
                    .isLessThanOrEqualTo(BUDGET);
        }
        assertThat(door.denialsSince(Instant.EPOCH))
                .anyMatch(denial -> denial.reason().contains("budget of rule \"few\""));
    }

    @Test
    void endOfAnUpload_comesAfterItsLastByteAndTheAnswerAfterThat() throws Exception {
        byte[] all = bytes(6);
        byte[] got = new byte[MANY + 1];
        try (Joined joined = joined(OPEN)) {
            sending(joined.inside(), all);
            assertThat(received(joined.outside(), got)).isEqualTo(MANY);
            joined.outside().getOutputStream().write("thanks".getBytes(StandardCharsets.UTF_8));
            joined.outside().close();
            assertThat(Client.rest(joined.inside())).isEqualTo("thanks");
        }
        assertThat(Arrays.equals(got, 0, MANY, all, 0, MANY)).isTrue();
    }
}
