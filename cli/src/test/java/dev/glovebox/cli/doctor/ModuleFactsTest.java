package dev.glovebox.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ModuleFactsTest {
    private static final String MODULES = "lib/modules/6.1.0-18-amd64/";

    @TempDir Path root;

    @BeforeEach
    void aKernelThatLoadsModules() throws IOException {
        put("proc/sys/kernel/osrelease", "6.1.0-18-amd64");
        put("proc/modules", "ext4 983040 1 - Live 0x0");
        put(MODULES + "modules.dep", "kernel/fs/ext4/ext4.ko.xz: kernel/fs/jbd2/jbd2.ko.xz");
    }

    @Test
    void modulesThatCanBeLoadedAreNamedAndSaidToBeClosedToSandboxes() throws IOException {
        assertThat(fact().level()).isEqualTo(HostFact.Level.OK);
        put(
                MODULES + "modules.dep",
                """
                kernel/crypto/af_alg.ko.xz:
                kernel/crypto/algif_hash.ko.xz: kernel/crypto/af_alg.ko.xz
                kernel/net/ipv4/esp4.ko: kernel/net/xfrm/xfrm_algo.ko
                kernel/net/rxrpc/rxrpc.ko.zst: kernel/net/ipv6/udp_tunnel.ko.zst
                """);
        assertThat(fact().level()).isEqualTo(HostFact.Level.WARN);
        assertThat(fact().value()).isEqualTo("af_alg esp4 rxrpc");
        assertThat(fact().advice()).contains("closed to sandboxes", "install NAME /bin/false");
    }

    @Test
    void followingTheAdviceIsSeen() throws IOException {
        put(MODULES + "modules.dep", "kernel/crypto/af_alg.ko.xz:");
        put("etc/modprobe.d/closed.conf", "install af_alg /bin/false");
        assertThat(fact().level()).isEqualTo(HostFact.Level.OK);
        put("etc/modprobe.d/closed.conf", "options af_alg x=1");
        assertThat(fact().level()).isEqualTo(HostFact.Level.WARN);
        put("proc/sys/kernel/modules_disabled", "1");
        assertThat(fact().level()).isEqualTo(HostFact.Level.OK);
    }

    @Test
    void whatIsLoadedOrBuiltInIsNamedWhateverMayBeLoaded() throws IOException {
        put("etc/modprobe.d/closed.conf", "install af_alg /bin/false");
        put("proc/net/protocols", "protocol  size sockets\nALG        936      0");
        assertThat(fact().value()).isEqualTo("af_alg");
        put(MODULES + "modules.builtin", "kernel/net/ipv6/esp6.ko");
        put("proc/modules", "esp4 28672 0 - Live 0x0");
        assertThat(fact().value()).isEqualTo("af_alg esp4 esp6");
    }

    @Test
    void aHostThatDoesNotSayIsNotSaidToHaveNone() throws IOException {
        Files.delete(root.resolve(MODULES + "modules.dep"));
        assertThat(fact().value()).startsWith("unknown");
        Files.delete(root.resolve("proc/modules"));
        assertThat(fact().value()).as("a kernel that loads none").startsWith("none");
    }

    private HostFact fact() {
        return new ModuleFacts(root).collect().getFirst();
    }

    private void put(String path, String text) throws IOException {
        Path file = root.resolve(path);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text + "\n");
    }
}
