package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Floods of HTTP/2 frames towards the door, each known from servers that fell to it. What the door
/// holds stays within bounds, the connection is ended where frames make work, a neighbour hardly
/// notices, and the sandbox itself can go on over another connection.
class Http2FloodAttackIT {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final int FRAMES_OF_ONE_WRITE = 100;
    private static final int END_STREAM = Http2Frames.END_STREAM;
    private static final int END_HEADERS = Http2Frames.END_HEADERS;
    private static final int UNKNOWN = 77;

    /// What a client may have open at a time.
    private static final int STREAMS = 100;

    private static final byte[] GET = Http2Frames.block(Http2Frames.get("good.test", "/x"));

    @TempDir Path directory;
    private DoorRig rig;
    private RawServer secure;
    private RawServer clear;
    private Door door;
    private Neighbour neighbour;

    /// Whether the kernel, too, takes next to nothing of what the door says.
    private boolean deaf;

    @BeforeEach
    void open() throws Exception {
        rig = new DoorRig(directory);
        secure =
                new RawServer(
                        rig.internet().vouch("good.test").context().getServerSocketFactory(),
                        RawServer::echoes);
        clear = new RawServer(RawServer::echoes);
        String policy =
                """
                rules:
                  - {name: secure, host: good.test, protocol: https, action: allow, connect: "127.0.0.1:%d"}
                  - {name: clear, host: good.test, protocol: http, action: allow, connect: "127.0.0.1:%d"}
                """
                        .formatted(secure.port(), clear.port());
        door = rig.open("one", policy);
        neighbour = new Neighbour(rig.open("two", policy), "good.test");
    }

    @AfterEach
    void close() throws Exception {
        rig.close();
        secure.close();
        clear.close();
    }

    /// The door ends the connection.
    private void isCut(String name, int rounds, IntFunction<byte[]> round) throws Exception {
        assertThat(flood(rounds, round, true)).as(name).isTrue();
    }

    /// Sends the frames of each round, many at a time, and reads nothing.
    ///
    /// @param wait for the end of the connection
    /// @return whether it has ended
    private boolean flood(int rounds, IntFunction<byte[]> round, boolean wait) throws Exception {
        long before = Neighbour.memory();
        AtomicBoolean cut = new AtomicBoolean();
        try (Socket socket = rig.connect(door, "good.test", 443)) {
            if (deaf) {
                socket.setReceiveBufferSize(4096);
            }
            Http2Frames client = new Http2Frames(rig.tls(door, socket, "good.test", 443, "h2"));
            Thread sender =
                    Thread.ofVirtual().start(() -> cut.set(isEnded(client, rounds, round, wait)));
            sender.join(PATIENCE);
            assertThat(Neighbour.memory() - before).isLessThan(32 * Neighbour.MEBI);
        }
        neighbour.hardlyNotices();
        assertThat(rig.curl(door, "--http2", "https://good.test/y").output())
                .as("afterwards")
                .isEqualTo("GET /y HTTP/1.1\n200");
        return cut.get();
    }

    private static boolean isEnded(
            Http2Frames client, int rounds, IntFunction<byte[]> round, boolean wait) {
        try {
            ByteArrayOutputStream several = new ByteArrayOutputStream();
            for (int i = 0; i < rounds; i++) {
                several.writeBytes(round.apply(i));
                if ((i + 1) % FRAMES_OF_ONE_WRITE == 0) {
                    client.write(several.toByteArray());
                    several.reset();
                }
            }
            long end = System.nanoTime() + PATIENCE.toNanos();
            while (wait && System.nanoTime() < end) {
                client.send(Http2Frames.WINDOW_UPDATE, 0, 0, new byte[] {0, 0, 0, 1});
                LockSupport.parkNanos(20_000_000);
            }
            return false;
        } catch (IOException e) {
            return true;
        }
    }

    private static byte[] joined(byte[]... frames) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] each : frames) {
            all.writeBytes(each);
        }
        return all.toByteArray();
    }

    private static byte[] headers(int round, int flags, byte... block) {
        return Http2Frames.frame(Http2Frames.HEADERS, flags, 2 * round + 1, block);
    }

    private static byte[] whole(int round) {
        return headers(round, END_HEADERS | END_STREAM, GET);
    }

    /// CVE-2023-44487.
    @Test
    void rapidReset_isCut() throws Exception {
        byte[] cancel = {0, 0, 0, 8};
        isCut(
                "cancelled at once",
                30_000,
                i ->
                        joined(
                                whole(i),
                                Http2Frames.frame(Http2Frames.RST_STREAM, 0, 2 * i + 1, cancel)));
        assertThat(secure.heads()).hasSizeLessThan(500);
    }

    /// CVE-2025-55163: the door is made to reset the streams itself.
    @Test
    void resetsProvokedFromTheDoor_areCut() throws Exception {
        byte[] nothing = new byte[4];
        isCut(
                "by a window of nothing",
                30_000,
                i ->
                        joined(
                                whole(i),
                                Http2Frames.frame(
                                        Http2Frames.WINDOW_UPDATE, 0, 2 * i + 1, nothing)));
        byte[] malformed = Http2Frames.block(Http2Frames.get("good.test", "/x", "connection", "x"));
        isCut("by a field", 30_000, i -> headers(i, END_HEADERS | END_STREAM, malformed));
        assertThat(secure.heads()).hasSizeLessThan(500);
    }

    /// CVE-2024-27316 and its kind.
    @Test
    void headersThatNeverEnd_areCut() throws Exception {
        byte[] some = Http2Frames.block("x", "a".repeat(8_000));
        for (byte[] more : new byte[][] {some, new byte[0]}) {
            isCut(
                    more.length + " bytes each",
                    30_000,
                    i ->
                            i == 0
                                    ? headers(0, 0, GET)
                                    : Http2Frames.frame(Http2Frames.CONTINUATION, 0, 1, more));
        }
        assertThat(secure.heads()).allMatch(head -> head.startsWith("GET /y"));
    }

    /// CVE-2019-9512, CVE-2019-9515: each frame wants an answer that nobody reads.
    @Test
    void pingsAndSettingsWhoseAnswersNobodyReads_areCut() throws Exception {
        deaf = true;
        byte[] ping = Http2Frames.frame(Http2Frames.PING, 0, 0, new byte[8]);
        isCut("pings", 500_000, _ -> ping);
        byte[] settings = Http2Frames.frame(Http2Frames.SETTINGS, 0, 0);
        isCut("settings", 500_000, _ -> settings);
    }

    /// CVE-2019-9518.
    @Test
    void emptyFrames_areCut() throws Exception {
        byte[] nothing = Http2Frames.frame(Http2Frames.DATA, 0, 1);
        byte[] padding = Http2Frames.frame(Http2Frames.DATA, 8, 1, (byte) 0);
        for (byte[] empty : new byte[][] {nothing, padding}) {
            isCut(
                    empty.length + " bytes each",
                    100_000,
                    i -> i == 0 ? headers(0, END_HEADERS, GET) : empty);
        }
    }

    /// They cost no more than any other bytes.
    @Test
    void framesThatMeanNothing_areNotKept() throws Exception {
        byte[] one = {0, 0, 0, 1};
        byte[] first = {0, 0, 0, 0, 1};
        byte[] some = new byte[16];
        flood(30_000, _ -> Http2Frames.frame(Http2Frames.WINDOW_UPDATE, 0, 0, one), false);
        flood(30_000, i -> Http2Frames.frame(Http2Frames.PRIORITY, 0, 2 * i + 1, first), false);
        flood(30_000, _ -> Http2Frames.frame(UNKNOWN, 0, 0, some), false);
    }

    /// CVE-2016-6581: one long field in the table, named ten thousand times in each request.
    @Test
    void fieldsThatUnfold_areCutAtTheLimitOfAHead() throws Exception {
        byte[] field = Http2Frames.block("x", "a".repeat(4_000));
        field[0] = 0x40; // with indexing
        byte[] again = new byte[10_000];
        Arrays.fill(again, (byte) 0xbe); // index 62, the newest of the dynamic table
        isCut(
                "named again",
                2_000,
                i ->
                        headers(
                                i,
                                END_HEADERS | END_STREAM,
                                i == 0 ? joined(GET, field, again) : joined(GET, again)));
        assertThat(secure.heads()).allMatch(head -> head.startsWith("GET /y"));
    }

    @Test
    void streamsThatNeverEnd_areHeldToTheirNumberAndWindow() throws Exception {
        byte[] body = new byte[16_000];
        flood(
                20_000,
                i ->
                        joined(
                                headers(i, END_HEADERS, GET),
                                Http2Frames.frame(Http2Frames.DATA, 0, 2 * i + 1, body)),
                false);
        assertThat(secure.open()).isLessThanOrEqualTo(STREAMS + 1);
    }

    /// A hundred requests wait for one handshake with the server when their client goes.
    @Test
    void clientThatGoesWhileConnectionsAreMade_leavesRoomForOthers() throws Exception {
        for (int i = 0; i < 10; i++) {
            try (Socket socket = rig.connect(door, "good.test", 443)) {
                Http2Frames client = new Http2Frames(rig.tls(door, socket, "good.test", 443, "h2"));
                for (int stream = 0; stream < STREAMS; stream++) {
                    client.write(whole(stream));
                }
            }
        }
        await().untilAsserted(() ->
                assertThat(rig.curl(door, "--http2", "https://good.test/y").output())
                        .endsWith("200"));
    }
}
