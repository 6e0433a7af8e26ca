package dev.glovebox.sandbox.guest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/// An inside that is no longer ours: somebody else speaks the protocol to the worker.
class ChannelAttackTest {
    /// A29: descriptors that are sent along with the frames, to fill the worker's table or to have
    /// it work on files that were opened elsewhere. The kernel drops what nobody asks for.
    @Test
    void descriptorsThatAreSentAlongDoNotArriveInTheWorker() throws Exception {
        Path directory = Files.createTempDirectory("glovebox-channel-");
        Path socket = directory.resolve("socket");
        String impostor =
                """
                import array, os, socket, struct, sys
                s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
                canaries = [os.open('/etc/passwd', os.O_RDONLY) for i in range(200)]
                rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', canaries))]
                hello = b'protocol\\t1\\npid\\t1\\n'
                frame = struct.pack('>II', 0x80 << 24 | len(hello), 0) + hello
                s.sendmsg([frame[:5]], rights)
                s.sendmsg([frame[5:]], rights)
                while True:
                    head = s.recv(36, socket.MSG_WAITALL)
                    if len(head) < 36: break
                    size, id = struct.unpack('>II', head[:8])
                    s.recv(size & 0xffffff, socket.MSG_WAITALL)
                    s.sendmsg([struct.pack('>II', 0x81 << 24 | 72, id) + bytes(72)], rights)
                """;
        Process other = null;
        try (ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            listener.bind(UnixDomainSocketAddress.of(socket));
            other = new ProcessBuilder("python3", "-c", impostor, socket.toString()).start();
            try (Guest guest = Guest.over(listener.accept(), GuestLimits.DEFAULT)) {
                for (int i = 0; i < 50; i++) {
                    assertThat(guest.stat("/any", true).size()).as("control: it answers").isZero();
                }
                assertThat(canaries()).isZero();
            }
        } finally {
            if (other != null) {
                other.destroyForcibly();
            }
            InitBinary.run(List.of("rm", "-rf", directory.toString()));
        }
    }

    private static long canaries() throws IOException {
        long count = 0;
        try (var links = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
            for (Path link : links) {
                if (Files.isSymbolicLink(link)
                        && Files.readSymbolicLink(link).equals(Path.of("/etc/passwd"))) {
                    count++;
                }
            }
        }
        return count;
    }
}
