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
import org.junit.jupiter.params.provider.ValueSource;

/// How it ends: the worker goes, init goes, or one of them talks nonsense.
@Timeout(60)
class GuestEndTest {
    private static final String PARENT_OF_ALL =
            "sleep 1000 & setsid sleep 1001 & (setsid setsid sleep 1002 &) ; trap '' TERM HUP; echo up; wait";

    @Test
    void nothingOutlivesTheConnection() throws Exception {
        try (LiveInit init = LiveInit.start()) {
            Guest guest = init.guest();
            GuestProcess process = guest.start(init.shell(PARENT_OF_ALL));
            process.stdout().readNBytes(3);
            List<ProcessHandle> all = init.process().descendants().toList();
            assertThat(all).hasSizeGreaterThanOrEqualTo(4);

            guest.close();

            assertThat(init.process().waitFor(20, TimeUnit.SECONDS)).isTrue();
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

    @ParameterizedTest
    @ValueSource(
            strings = {
                "99000000 00000001", // no such type
                "12ffffff 00000001", // longer than a frame may be
                "12000000 00000001", // no flags
                "12000004 00000001 00 2f6162", // a path without its end
                "12000005 00000001 00 61620000", // a relative path, and a byte too many
                "12000004 00000001 00 2f0000", // a byte too many
                "05000001 00000001 00", // signal 0
                "05000001 00000001 41", // signal 65
                "04000005 00000001 03 00000001", // credit for stream 3
                "04000005 00000001 01 ffffffff", // absurd credit
                "03000001 00000001 07", // stream 7
                "13000007 00000001 00 00000fff 2f00", // mode with setuid
                "01000010 00000001 00 0018 0050 00000001 00000001 0000 0000 2f", // no end, no
                // program
                "01000013 00000001 00 0018 0050 00000001 00000001 ffff ffff 2f00 6100", // too many
                // strings
            })
    void aMalformedFrameEndsEverything(String hex) throws Exception {
        try (LiveInit init = LiveInit.start()) {
            SocketChannel channel = init.channel();
            channel.write(ByteBuffer.wrap(bytes(hex)));

            assertThat(init.process().waitFor(20, TimeUnit.SECONDS)).isTrue();
            assertThat(init.process().exitValue()).isEqualTo(76);
        }
    }

    @Test
    void stdinBeyondItsCreditEndsEverything() throws Exception {
        try (LiveInit init = LiveInit.start()) {
            SocketChannel channel = init.channel();
            Frame start =
                    new Frame(Wire.START, 1, "").u8(0).u16(1).u16(1).u32(0).u32(0).u16(2).u16(0);
            channel.write(start.path("/").string("/bin/sleep").string("1000").seal());
            for (int i = 0; i < 3; i++) {
                ByteBuffer stdin =
                        new Frame(Wire.STDIN, 1, "").bytes(new byte[65536], 0, 65536).seal();
                while (stdin.hasRemaining() && init.process().isAlive()) {
                    try {
                        channel.write(stdin);
                    } catch (IOException e) {
                        break;
                    }
                }
            }
            assertThat(init.process().waitFor(20, TimeUnit.SECONDS)).isTrue();
            assertThat(init.process().exitValue()).isEqualTo(76);
        }
    }

    @Test
    void framesForWhatIsNotThereAreIgnored() throws Exception {
        try (LiveInit init = LiveInit.start()) {
            SocketChannel channel = init.channel();
            channel.write(new Frame(Wire.STDIN, 9, "").bytes(new byte[100], 0, 100).seal());
            channel.write(new Frame(Wire.SIGNAL, 9, "").u8(9).seal());
            channel.write(new Frame(Wire.CLOSE, 9, "").u8(1).seal());
            channel.write(new Frame(Wire.WRITE_DATA, 9, "").u8(1).seal());
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
        assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isEqualTo(71);
        assertThat(new String(process.getInputStream().readAllBytes(), UTF_8)).contains("fd 0");
    }

    private static byte[] bytes(String hex) {
        return java.util.HexFormat.of().parseHex(hex.replace(" ", ""));
    }
}
