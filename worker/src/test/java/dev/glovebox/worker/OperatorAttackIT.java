package dev.glovebox.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.worker.operator.OperatorChannel;
import dev.glovebox.worker.operator.OperatorClient;
import dev.glovebox.worker.operator.OperatorException;
import dev.glovebox.worker.operator.OperatorLimits;
import dev.glovebox.worker.operator.OperatorServer;
import dev.glovebox.worker.operator.OperatorSocket;
import dev.glovebox.worker.operator.Request;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What the operator's socket withstands. Needs root.
@Timeout(180)
class OperatorAttackIT {
    @TempDir Path state;
    private OperatorRig rig;

    @BeforeEach
    void start() {
        rig = new OperatorRig(state);
    }

    @AfterEach
    void stop() {
        rig.close();
    }

    @Test
    void anotherUser_cannotConnectAndRootCan() throws Exception {
        assertThat(modeOf(rig.server.socket())).isEqualTo("rw-------");
        assertThat(modeOf(rig.server.socket().resolveSibling(""))).isEqualTo("rwx------");
        assertThat(connect(0)).contains("\"ok\":false");
        assertThat(connect(1000)).isEmpty();
    }

    @Test
    void anotherUser_whoGetsPastAllModesIsHungUpOn() throws Exception {
        for (Path path = rig.server.socket(); path.startsWith(state); path = path.getParent()) {
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwxrwxrwx"));
        }
        assertThat(connect(0)).contains("\"ok\":false");
        assertThat(connect(1000)).isEmpty();
    }

    @Test
    void aSandbox_seesNoSocketOfTheHost() throws IOException {
        try (var found = Files.walk(state)) {
            assertThat(found.filter(file -> file.equals(rig.server.socket()))).hasSize(1);
        }
        assertThat(rig.answer("find / -type s 2>/dev/null; echo over")).isEqualTo("over");
        assertThat(rig.answer("ls " + rig.server.socket())).contains("No such file");
        assertThat(rig.answer("grep -c 'operator' /proc/net/unix /proc/self/mountinfo; true"))
                .isEqualTo("/proc/net/unix:0\n/proc/self/mountinfo:0");
    }

    @Test
    void twoHundredConnectionsAtOnce_costNothingButThemselves() throws IOException {
        List<SocketChannel> idle = new ArrayList<>();
        try {
            for (int i = 0; i < 200; i++) {
                idle.add(connect());
            }
            assertThat(rig.answer("echo on")).isEqualTo("on");
            // each is told or hung up on, none is left
            for (SocketChannel channel : idle) {
                ByteBuffer answer = ByteBuffer.allocate(1024);
                while (channel.read(answer) >= 0) {
                    // to its end
                }
            }
        } finally {
            for (SocketChannel channel : idle) {
                channel.close();
            }
        }
        WorkerRig.await(this::listens);
    }

    @Test
    void halfARequest_isHungUpOnAndOthersAreServedMeanwhile() throws IOException {
        try (SocketChannel half = connect()) {
            half.write(bytes("{\"v\":1,\"verb\":"));
            assertThat(listens()).isTrue();
            assertThat(half.read(ByteBuffer.allocate(100))).isNegative();
        }
    }

    @Test
    void tenMebibytesOfRequest_areRefusedEarly() throws IOException {
        try (SocketChannel large = connect()) {
            ByteBuffer chunk = bytes("x".repeat(64 * 1024));
            int sent = 0;
            try {
                for (; sent < 10 << 20; sent += chunk.capacity()) {
                    large.write(chunk.rewind());
                }
            } catch (IOException _) {
                // hung up
            }
            assertThat(sent).isLessThan(2 << 20);
        }
        assertThat(listens()).isTrue();
    }

    @Test
    void nonsense_isToldAndHungUpOn() throws IOException {
        for (String line :
                new String[] {
                    "",
                    "GET / HTTP/1.1",
                    "[]",
                    "{\"v\":1,\"v\":1}",
                    "{\"v\":2,\"verb\":\"list\"}",
                    "{\"v\":1,\"verb\":\"format\"}",
                    "{\"v\":1,\"verb\":\"exec\",\"sandbox\":\"s\"}",
                    "{\"v\":1,\"verb\":\"exec\",\"sandbox\":\"s\",\"argv\":[\"a\"],\"term\":\"\\u001b\","
                            + "\"rows\":1,\"columns\":1}",
                    "{\"v\":1,\"verb\":\"exec\",\"sandbox\":\"s\",\"argv\":[\"a\"],\"term\":\"x\","
                            + "\"rows\":-1,\"columns\":1}",
                    "{\"v\":1,\"verb\":\"logs\",\"sandbox\":{},\"after\":\"x\"}",
                }) {
            try (SocketChannel channel = connect()) {
                channel.write(bytes(line + "\n"));
                ByteBuffer answer = ByteBuffer.allocate(4096);
                while (channel.read(answer) >= 0) {
                    assertThat(answer.hasRemaining()).isTrue();
                }
                assertThat(new String(answer.array(), 0, answer.position(), StandardCharsets.UTF_8))
                        .as(line)
                        .startsWith("{\"ok\":false,\"error\":\"");
            }
        }
    }

    @Test
    void aClientThatDoesNotRead_stopsItsCommandAndNothingElse() throws IOException {
        try (OperatorChannel _ = rig.start(Optional.empty(), "yes")) {
            for (int i = 0; i < 20; i++) {
                assertThat(rig.answer("echo " + i)).isEqualTo(Integer.toString(i));
            }
            assertThat(rig.exec("", "echo", "other").out()).isEqualTo("other\n");
            assertThat(listens()).isTrue();
        }
        WorkerRig.await(() -> rig.inside("yes ") == 0);
    }

    @Test
    void inputThatWasNotGranted_endsTheCommand() throws IOException {
        try (SocketChannel channel = connect()) {
            channel.write(
                    bytes(
                            "{\"v\":1,\"verb\":\"exec\",\"sandbox\":\"s\",\"argv\":[\"sleep\",\"4567\"]}\n"));
            channel.read(ByteBuffer.allocate(4096));
            WorkerRig.await(() -> rig.inside("sleep 4567") > 0);
            byte[] flood = new byte[5 + 64 * 1024];
            ByteBuffer frame = ByteBuffer.wrap(flood).put((byte) 1).putInt(64 * 1024).rewind();
            channel.write(frame);
            channel.write(frame.rewind());
            WorkerRig.await(() -> rig.inside("sleep 4567") == 0);
        }
    }

    @Test
    void commandsOfOperators_areCountedSoThatTheAgentKeepsItsPlaces() throws IOException {
        List<OperatorChannel> open = new ArrayList<>();
        try {
            for (int i = 0; i < OperatorLimits.DEFAULT.processes(); i++) {
                open.add(rig.start(Optional.empty(), "sleep", "5678"));
            }
            assertThatThrownBy(() -> rig.start(Optional.empty(), "true"))
                    .isInstanceOf(OperatorException.class)
                    .hasMessageContaining("8 commands of operators");
            assertThat(rig.answer("echo on")).isEqualTo("on");
        } finally {
            for (OperatorChannel channel : open) {
                channel.close();
            }
        }
        WorkerRig.await(() -> rig.sandbox().path("operators").asInt() == 0);
    }

    @Test
    void aLivingWorkersSocket_isNeverTakenAndADeadOnesIs(@TempDir Path other) throws IOException {
        assertThatThrownBy(() ->
                        OperatorServer.open(
                                rig.server.socket(), rig.worker.roster(), OperatorLimits.DEFAULT))
                .isInstanceOf(OperatorException.class)
                .hasMessageContaining("another worker");
        assertThat(listens()).isTrue();

        Path socket = OperatorSocket.in(other);
        Files.createDirectories(socket.getParent());
        try (var dead = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            dead.bind(UnixDomainSocketAddress.of(socket));
        }
        assertThat(Files.exists(socket)).isTrue();
        assertThatThrownBy(() -> new OperatorClient(socket).ask(new Request.Look("")))
                .isInstanceOf(OperatorException.class)
                .hasMessageContaining("glovebox worker");
        try (var _ = OperatorServer.open(socket, rig.worker.roster(), OperatorLimits.DEFAULT)) {
            assertThat(new OperatorClient(socket).ask(new Request.Look("")).path("ok").asBoolean())
                    .isTrue();
        }
        assertThat(Files.exists(socket)).isFalse();
    }

    private boolean listens() {
        try {
            return rig.client.ask(new Request.Look("s")).path("sandboxes").size() == 1;
        } catch (OperatorException _) {
            return false;
        }
    }

    private SocketChannel connect() throws IOException {
        return SocketChannel.open(UnixDomainSocketAddress.of(rig.server.socket()));
    }

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String modeOf(Path path) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }

    /// What a process of that user is answered to an HTTP request.
    private String connect(int uid) throws Exception {
        Process curl =
                new ProcessBuilder(
                                "setpriv",
                                "--reuid=" + uid,
                                "--regid=" + uid,
                                "--clear-groups",
                                "curl",
                                "-s",
                                "--http0.9",
                                "--max-time",
                                "20",
                                "--unix-socket",
                                rig.server.socket().toString(),
                                "http://localhost/")
                        .redirectError(ProcessBuilder.Redirect.DISCARD)
                        .start();
        String answer = new String(curl.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        curl.waitFor();
        return answer;
    }
}
