package dev.glovebox.linux.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NetworkNamespaceIT {
    private static final Path OWN = Path.of("/proc/thread-self/ns/net");

    @TempDir Path directory;

    @Test
    void createdNamespaceHasOnlyLoopbackAndEveryAddressIsLocalThere() throws Exception {
        Path pin = directory.resolve("one");
        try (NetworkNamespace namespace = NetworkNamespace.create(pin)) {
            assertThat(run("nsenter", "--net=" + pin, "ip", "-o", "link")).hasSize(1);
            assertThat(run("nsenter", "--net=" + pin, "ip", "route", "get", "203.0.113.9"))
                    .first()
                    .asString()
                    .startsWith("local 203.0.113.9 dev lo");
            assertThat(run("nsenter", "--net=" + pin, "ip", "-6", "route", "get", "2001:db8::9"))
                    .first()
                    .asString()
                    .contains("dev lo");
            assertThat(namespace.enter(() -> Files.readSymbolicLink(OWN)))
                    .isNotEqualTo(Files.readSymbolicLink(OWN));
            assertThat(namespace.sockets().tcp()).hasSameSizeAs(namespace.sockets().dns());
            namespace.sockets().close();
        }
    }

    @Test
    void rulesAreWhatNftReadsThemAs() throws Exception {
        Path pin = directory.resolve("rules");
        try (NetworkNamespace namespace = NetworkNamespace.create(pin)) {
            List<String> rules = run("nsenter", "--net=" + pin, "nft", "list", "ruleset");
            assertThat(rules.stream().map(String::strip))
                    .containsExactly(
                            "table inet glovebox {",
                            "chain caught {",
                            "type filter hook prerouting priority mangle; policy drop;",
                            "meta mark 0x0000676c accept",
                            "ip daddr 127.0.0.0/8 accept",
                            "ip6 daddr ::1 accept",
                            "meta nfproto ipv4 meta l4proto tcp tproxy ip to 198.18.0.1:1 accept",
                            "meta nfproto ipv6 meta l4proto tcp tproxy ip6 to [fd67:6c62::1]:1 accept",
                            "meta nfproto ipv4 udp dport 53 tproxy ip to 198.18.0.1:53 accept",
                            "ip6 daddr fd67:6c62::1 udp dport 53 tproxy ip6 to [fd67:6c62::1]:53 accept",
                            "meta l4proto tcp accept",
                            "icmp type destination-unreachable accept",
                            "icmp type time-exceeded accept",
                            "icmpv6 type destination-unreachable accept",
                            "icmpv6 type packet-too-big accept",
                            "reject",
                            "}",
                            "}");
            namespace.sockets().close();
        }
    }

    @Test
    void closedNamespaceLeavesNoMountAndNoFile() throws Exception {
        Path pin = directory.resolve("gone");
        NetworkNamespace namespace = NetworkNamespace.create(pin);
        assertThat(Files.readString(Path.of("/proc/self/mountinfo"))).contains(pin.toString());

        namespace.sockets().close();
        namespace.close();
        namespace.close();

        assertThat(Files.readString(Path.of("/proc/self/mountinfo")))
                .doesNotContain(pin.toString());
        try (var left = Files.list(directory)) {
            assertThat(left).isEmpty();
        }
    }

    @Test
    void pinThatExistsIsRefusedAndTheThreadsStayAtHome() throws Exception {
        Path pin = Files.createFile(directory.resolve("taken"));
        assertThatThrownBy(() -> NetworkNamespace.create(pin)).isInstanceOf(RuntimeException.class);
        assertThat(Files.readString(Path.of("/proc/self/mountinfo")))
                .doesNotContain(pin.toString());
    }

    @Test
    void noVirtualThreadEverFindsItselfInside() throws Exception {
        Path home = Files.readSymbolicLink(OWN);
        try (NetworkNamespace namespace = NetworkNamespace.create(directory.resolve("busy"));
                var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Path>> seen =
                    IntStream.range(0, 300)
                            .mapToObj(i ->
                                    threads.submit(() -> {
                                        namespace.enter(() -> Files.readSymbolicLink(OWN));
                                        return Files.readSymbolicLink(OWN);
                                    }))
                            .toList();
            for (Future<Path> each : seen) {
                assertThat(each.get(30, TimeUnit.SECONDS)).isEqualTo(home);
            }
            namespace.sockets().close();
        }
        assertThat(namespacesOfAllThreads()).containsOnly(home);
    }

    private static List<Path> namespacesOfAllThreads() throws IOException {
        try (var tasks = Files.list(Path.of("/proc/self/task"))) {
            return tasks.map(task -> task.resolve("ns/net"))
                    .map(NetworkNamespaceIT::link)
                    .distinct()
                    .toList();
        }
    }

    private static Path link(Path namespace) {
        try {
            return Files.readSymbolicLink(namespace);
        } catch (IOException e) {
            throw new IllegalStateException("a thread ended while it was looked at", e);
        }
    }

    private static List<String> run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        List<String> lines =
                new String(
                                process.getInputStream().readAllBytes(),
                                java.nio.charset.StandardCharsets.UTF_8)
                        .lines()
                        .toList();
        assertThat(process.waitFor()).as(String.join("\n", lines)).isZero();
        return lines;
    }
}
