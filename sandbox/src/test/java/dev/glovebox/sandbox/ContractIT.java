package dev.glovebox.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.linux.net.NetworkNamespace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What a sandbox is, whichever runtime it runs under. Needs root.
class ContractIT {
    @RegisterExtension static final Grounds GROUNDS = new Grounds();

    private static Ground ground(RuntimeName runtime) throws Exception {
        return GROUNDS.under(runtime);
    }

    @ParameterizedTest
    @EnumSource
    void noSocketOfTheRuntimeIsInTheNetworkOfTheHost(RuntimeName runtime) throws Exception {
        try (Sandbox _ = ground(runtime).sandbox("unheard", Limits.DEFAULT)) {
            assertThat(socketsSeenBy("self")).doesNotContain("runsc-", "unheard");
        }
    }

    @ParameterizedTest
    @EnumSource
    void aCommandRunsAsTheAgentAndFilesCrossTheWall(RuntimeName runtime) throws Exception {
        Ground ground = ground(runtime);
        Files.writeString(ground.workspace("files").resolve("in"), "from the host");
        try (Sandbox sandbox = ground.sandbox("files", Limits.DEFAULT)) {
            Ground.Result result =
                    Ground.shell(
                            sandbox,
                            """
                            id -u; id -g; pwd; echo $HOME; hostname
                            cat /workspace/in; echo
                            echo out > /workspace/out && mkdir /workspace/d && mv /workspace/out /workspace/d
                            echo t > /tmp/t && cat /tmp/t && echo h > ~/h && cat ~/h && echo s > /dev/shm/s
                            (echo x > /usr/x) 2>/dev/null || echo read-only
                            python3 -c 'import threading; t = threading.Thread(target=print, args=("thread",)); t.start()'
                            """);

            assertThat(result.output().lines())
                    .containsExactly(
                            "1000",
                            "1000",
                            "/",
                            "/home/agent",
                            "glovebox",
                            "from the host",
                            "t",
                            "h",
                            "read-only",
                            "thread");
            Path out = ground.directory().resolve("workspaces/files/d/out");
            assertThat(out).hasContent("out\n");
            assertThat(Files.getAttribute(out, "unix:uid")).isEqualTo(1000);
        }
    }

    /// What the host writes while the sandbox lives is seen at once, and the other way round.
    @ParameterizedTest
    @EnumSource
    void aMountIsTheSameDirectoryForBothSides(RuntimeName runtime) throws Exception {
        Ground ground = ground(runtime);
        try (Sandbox sandbox = ground.sandbox("shared", Limits.DEFAULT)) {
            Path shared = ground.directory().resolve("workspaces/shared/f");
            for (String text : List.of("one", "second")) {
                Files.writeString(shared, text);
                assertThat(Ground.shell(sandbox, "cat /workspace/f").output()).isEqualTo(text);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void everyProcessOnTheHostIsOfTheSandboxsOwnIds(RuntimeName runtime) throws Exception {
        try (Sandbox sandbox = ground(runtime).sandbox("ids", Limits.DEFAULT)) {
            Set<Integer> pids = sandbox.processes();
            assertThat(pids).isNotEmpty();
            for (int pid : pids) {
                String status = Files.readString(Path.of("/proc/" + pid + "/status"));
                assertThat(status)
                        .containsPattern("(?m)^Uid:(\\t1[89]\\d{8}){4}$")
                        .contains("NoNewPrivs:\t1", "Seccomp:\t2");
                assertThat(Files.readSymbolicLink(Path.of("/proc/" + pid + "/ns/user")))
                        .isNotEqualTo(Files.readSymbolicLink(Path.of("/proc/self/ns/user")));
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void withoutANetworkThereIsNoneAndAGivenOneIsJoined(RuntimeName runtime) throws Exception {
        Ground ground = ground(runtime);
        try (Sandbox sandbox = ground.sandbox("lonely", Limits.DEFAULT)) {
            assertThat(Ground.shell(sandbox, "grep -c : /proc/net/dev").output()).isEqualTo("1\n");
        }
        Path pin = ground.directory().resolve("door");
        try (NetworkNamespace namespace = NetworkNamespace.create(pin)) {
            SandboxSpec spec =
                    new SandboxSpec(
                            "joined",
                            Template.BASE,
                            List.of(),
                            Optional.of(namespace.path()),
                            Limits.DEFAULT,
                            Map.of());
            String link = "net:[" + Files.getAttribute(pin, "unix:ino") + "]";
            try (Sandbox sandbox = ground.sandboxes().create(spec)) {
                assertThat(sandbox.processes())
                        .anySatisfy(pid ->
                                assertThat(
                                                Files.readSymbolicLink(
                                                        Path.of("/proc/" + pid + "/ns/net")))
                                        .hasToString(link));
                // gVisor's own socket, and that one would be seen
                assertThat(socketsSeenBy("self")).doesNotContain("runsc-");
                StringBuilder inside = new StringBuilder();
                for (int process : sandbox.processes()) {
                    inside.append(socketsSeenBy("" + process));
                }
                assertThat(inside.toString().contains("@runsc-sandbox."))
                        .isEqualTo(runtime == RuntimeName.RUNSC);
            }
        }
    }

    /// A33: under gVisor another kernel than the host's answers, which is what the user asked for,
    /// and nothing of the host is behind it that would make it the host's again: no `/dev/kvm`, no
    /// interface, no socket but its own.
    @Test
    void underGvisorAnotherKernelAnswersAndNoDeviceOfTheHostIsBehindIt() throws Exception {
        String host = Files.readString(Path.of("/proc/version"));
        try (Sandbox sandbox = ground(RuntimeName.RUNSC).sandbox("gvisor", Limits.DEFAULT);
                Sandbox control = ground(RuntimeName.CRUN).sandbox("control", Limits.DEFAULT)) {
            assertThat(Ground.shell(control, "cat /proc/version").output()).isEqualTo(host);
            Ground.Result result =
                    Ground.shell(
                            sandbox,
                            """
                            cat /proc/version; uname -r
                            [ -e /dev/null ] && echo devices; [ -e /dev/kvm ] && echo kvm; [ -e /dev/net/tun ] && echo tun
                            tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '
                            """);
            assertThat(result.output())
                    .matches("Linux version 4\\.4\\.0 [^\n]*\n4\\.4\\.0\ndevices\nlo\n")
                    .doesNotContain(host);
            for (int pid : sandbox.processes()) {
                assertThat(links(Path.of("/proc/" + pid + "/fd")))
                        .as("what gVisor has open")
                        .isNotEmpty()
                        .noneMatch(link -> link.startsWith("/dev/") && !link.equals("/dev/null"));
                assertThat(Files.readAllLines(Path.of("/proc/" + pid + "/net/dev")))
                        .as("interfaces of its network namespace, after two lines of titles")
                        .hasSize(3);
            }
        }
    }

    private static List<String> links(Path directory) throws IOException {
        List<String> links = new ArrayList<>();
        try (var stream = Files.newDirectoryStream(directory)) {
            for (Path link : stream) {
                if (Files.isSymbolicLink(link)) {
                    links.add(Files.readSymbolicLink(link).toString());
                }
            }
        }
        return links;
    }

    @ParameterizedTest
    @EnumSource
    void theMemoryOfAllOfItIsLimited(RuntimeName runtime) throws Exception {
        try (Sandbox sandbox =
                ground(runtime).sandbox("memory", Limits.DEFAULT.withMemory("256m"))) {
            Ground.Result full =
                    Ground.shell(
                            sandbox,
                            "head -c 200m /dev/zero > /tmp/a 2>/dev/null; stat -f -c %b /tmp;"
                                    + " wc -c < /tmp/a");
            assertThat(full.output()).as("/tmp ends at a quarter").contains("67108864");
            assertThat(sandbox.memoryUsed()).isBetween(64L << 20, 256L << 20);
        }
    }

    private static String socketsSeenBy(String process) throws IOException {
        return Files.readString(Path.of("/proc", process, "net/unix"));
    }
}
