package dev.glovebox.sandbox.guest;

import static dev.glovebox.sandbox.guest.GuestProcessTest.codeOf;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// How it ends: the worker goes, init goes, or one of them talks nonsense.
@Timeout(180)
class GuestEndTest {
    private static final String PARENT_OF_ALL =
            "sleep 1000 & setsid sleep 1001 & (setsid setsid sleep 1002 &) ; trap '' TERM HUP; echo up; wait";

    @Test
    void nothingOutlivesTheConnection() throws Exception {
        try (LiveInit init = LiveInit.start()) {
            Guest guest = init.guest();
            GuestProcess process = guest.start(init.shell(PARENT_OF_ALL));
            process.stdout().readNBytes(3);
            LiveInit.await(
                    "the shell and its three children",
                    () -> init.process().descendants().count() >= 4);
            List<ProcessHandle> all = init.process().descendants().toList();

            guest.close();

            assertThat(init.process().waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(all).noneMatch(ProcessHandle::isAlive);
            assertThat(init.process().exitValue()).isZero();
            assertThatThrownBy(() -> process.waitFor(Duration.ofSeconds(5)))
                    .isInstanceOf(GuestException.class);
            assertThat(codeOf(() -> guest.stat("/", true))).isEqualTo("ECONNRESET");
            assertThat(guest.isOpen()).isFalse();
        }
    }

    @Test
    void everyCallFailsClearlyWhenInitIsKilled() throws Exception {
        try (LiveInit init = LiveInit.start()) {
            Guest guest = init.guest();
            GuestProcess process = guest.start(init.shell("echo last words; exec sleep 5"));
            assertThat(process.stdout().read()).isEqualTo('l');
            LiveInit.await("the words", () -> process.stdout().available() == 10);

            init.process().destroyForcibly();

            LiveInit.await("the guest notices", () -> !guest.isOpen());
            assertThat(new String(process.stdout().readNBytes(10), UTF_8)).isEqualTo("ast words\n");
            assertThatThrownBy(() -> process.stdout().read()).isInstanceOf(IOException.class);
            assertThatThrownBy(() -> process.stdin().write(1)).isInstanceOf(IOException.class);
            assertThatThrownBy(() -> process.waitFor(Duration.ofSeconds(5)))
                    .isInstanceOf(GuestException.class)
                    .hasMessageContaining("ECONNRESET");
            assertThat(process.exit()).isEmpty();
            assertThat(codeOf(() -> guest.start(init.request("true")))).isEqualTo("ECONNRESET");
        }
    }

    @Test
    void anInitThatHangsCostsTheTimeoutAndNoMore() throws Exception {
        try (LiveInit init = LiveInit.start()) {
            Guest guest =
                    Guest.over(init.channel(), new GuestLimits(Duration.ofMillis(300), 65536));
            InitBinary.run(List.of("kill", "-STOP", String.valueOf(init.process().pid())));
            assertThat(codeOf(() -> guest.stat("/", true))).isEqualTo("ETIMEDOUT");
            assertThat(codeOf(() -> guest.write("/x", new byte[2 << 20], WriteOptions.DEFAULT)))
                    .isEqualTo("ETIMEDOUT");
            InitBinary.run(List.of("kill", "-CONT", String.valueOf(init.process().pid())));
            guest.close();
        }
    }

    static List<Frame> violations() {
        byte[] data = {0};
        return List.of(
                new Frame(0x99, 1, "no such type"),
                new Frame(Wire.STAT, 1, "no path"),
                new Frame(Wire.STAT, 1, "relative").string("ab"),
                new Frame(Wire.STAT, 1, "two paths").path("/").path("/"),
                new Frame(Wire.STAT, 1, "a byte too many").path("/").data(data, 0, 1),
                new Frame(Wire.STAT, 1, "a variable").path("/").variable("A", "b").string("c"),
                new Frame(Wire.RENAME, 1, "one path").path("/"),
                new Frame(Wire.SIGNAL, 1, "signal 0").number(0),
                new Frame(Wire.SIGNAL, 1, "signal 65").number(65),
                new Frame(Wire.SIGNAL, 1, "data").number(1).data(data, 0, 1),
                new Frame(Wire.CREDIT, 1, "stdin").number(0).amount(1),
                new Frame(Wire.CREDIT, 1, "stream 3").number(3).amount(1),
                new Frame(Wire.CREDIT, 1, "absurd").number(1).amount(-1),
                new Frame(Wire.CLOSE, 1, "stream 7").number(7),
                new Frame(Wire.MKDIR, 1, "setuid").mode(04755).path("/x"),
                new Frame(Wire.START, 1, "no program").path("/"),
                new Frame(Wire.START, 1, "absurd credit").amount(-1).path("/").string("true"));
    }

    @ParameterizedTest
    @MethodSource("violations")
    void aMalformedFrameEndsEverything(Frame frame) throws Exception {
        aViolationEndsEverything(frame.seal());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                // longer than a frame may be
                "12ffffff 00000001 0000000000000000 00000000 00000000 0000 0000 0000 0000 0000 00 00",
                // one string, without its end
                "12000001 00000001 0000000000000000 00000000 00000000 0000 0000 0000 0001 0000 00 00 2f",
                // more strings than there are
                "12000002 00000001 0000000000000000 00000000 00000000 0000 0000 0000 ffff 0000 00 00 2f00",
                "12000002 00000001 0000000000000000 00000000 00000000 0000 0000 0000 0001 ffff 00 00 2f00",
            })
    void malformedBytesEndEverything(String hex) throws Exception {
        aViolationEndsEverything(ByteBuffer.wrap(bytes(hex)));
    }

    private static void aViolationEndsEverything(ByteBuffer bytes) throws Exception {
        try (LiveInit init = LiveInit.start()) {
            while (bytes.hasRemaining()) {
                init.channel().write(bytes);
            }
            assertThat(init.process().waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(init.process().exitValue()).isEqualTo(76);
        }
    }

    @Test
    void anIdInUseEndsEverything() throws Exception {
        try (LiveInit init = LiveInit.start()) {
            for (int i = 0; i < 2; i++) {
                init.channel().write(sleeper().seal());
            }
            assertThat(init.process().waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(init.process().exitValue()).isEqualTo(76);
        }
    }

    private static Frame sleeper() {
        return new Frame(Wire.START, 1, "").path("/").string("/bin/sleep").string("1000");
    }

    @Test
    void stdinBeyondItsCreditEndsEverything() throws Exception {
        try (LiveInit init = LiveInit.start()) {
            SocketChannel channel = init.channel();
            channel.write(sleeper().seal());
            for (int i = 0; i < 3; i++) {
                ByteBuffer stdin =
                        new Frame(Wire.STDIN, 1, "").data(new byte[65536], 0, 65536).seal();
                while (stdin.hasRemaining() && init.process().isAlive()) {
                    try {
                        channel.write(stdin);
                    } catch (IOException e) {
                        break;
                    }
                }
            }
            assertThat(init.process().waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(init.process().exitValue()).isEqualTo(76);
        }
    }

    @Test
    void framesForWhatIsNotThereAreIgnored() throws Exception {
        try (LiveInit init = LiveInit.start()) {
            SocketChannel channel = init.channel();
            channel.write(new Frame(Wire.STDIN, 9, "").data(new byte[100], 0, 100).seal());
            channel.write(new Frame(Wire.SIGNAL, 9, "").number(9).seal());
            channel.write(new Frame(Wire.CLOSE, 9, "").number(1).seal());
            channel.write(new Frame(Wire.WRITE_DATA, 9, "").data(new byte[1], 0, 1).seal());
            channel.write(new Frame(Wire.WRITE_COMMIT, 9, "").seal());
            channel.write(new Frame(Wire.WRITE_ABORT, 9, "").seal());
            Guest guest = init.guest();
            assertThat(guest.stat("/", true).kind()).isEqualTo(FileKind.DIRECTORY);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "80ffffff 00000000", // longer than a frame may be
                "8f000000 00000000", // a fatal one
                "80000002 00000000 3109", // a greeting without a version
                "85000001 00000000 41", // output instead of a greeting
                "",
            })
    void aPeerThatIsNoInitIsRefused(String hex) throws Exception {
        Path path = Files.createTempDirectory("glovebox-peer-").resolve("s");
        try (ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            listener.bind(UnixDomainSocketAddress.of(path));
            SocketChannel peer = SocketChannel.open(UnixDomainSocketAddress.of(path));
            peer.write(ByteBuffer.wrap(bytes(hex)));
            if (hex.isEmpty()) {
                peer.close();
            }
            SocketChannel channel = listener.accept();
            assertThat(codeOf(() -> Guest.over(channel, GuestLimits.DEFAULT)))
                    .isIn("EPROTO", "ECONNRESET");
            assertThat(channel.isOpen()).isFalse();
            peer.close();
        } finally {
            Files.delete(path);
            Files.delete(path.getParent());
        }
    }

    @Test
    void initRefusesToRunWithoutItsSocket() throws Exception {
        Process process =
                new ProcessBuilder(InitBinary.STATIC.path().toString())
                        .redirectInput(Path.of("/dev/null").toFile())
                        .redirectErrorStream(true)
                        .start();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isEqualTo(71);
        assertThat(new String(process.getInputStream().readAllBytes(), UTF_8)).contains("fd 0");
    }

    private static byte[] bytes(String hex) {
        return java.util.HexFormat.of().parseHex(hex.replace(" ", ""));
    }
}
