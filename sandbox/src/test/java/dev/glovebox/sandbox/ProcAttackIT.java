package dev.glovebox.sandbox;

import static dev.glovebox.sandbox.RuntimeName.RUNSC;
import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.sandbox.guest.GuestException;
import dev.glovebox.sandbox.guest.ProcessRequest;
import dev.glovebox.sandbox.launch.HostFacts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Ways out through `/proc`: settings of the kernel, programs of the runtime, paths. What it tells
/// of the host is in [WorkerAttackIT]. Needs root.
@Isolated
class ProcAttackIT {
    @RegisterExtension static final Grounds GROUNDS = new Grounds();
    private static final Path CORE_PATTERN = Path.of("/proc/sys/kernel/core_pattern");

    /// Settings of the kernel with which the host would run a program of the agent, or fall.
    private static final List<String> SETTINGS =
            List.of(
                    "sys/kernel/core_pattern",
                    "sys/kernel/modprobe",
                    "sys/kernel/poweroff_cmd",
                    "sys/kernel/usermodehelper/bset",
                    "sys/kernel/sysrq",
                    "sys/kernel/panic_on_oops",
                    "sys/kernel/randomize_va_space",
                    "sys/kernel/hostname",
                    "sys/kernel/ns_last_pid",
                    "sys/fs/suid_dumpable",
                    "sys/fs/protected_symlinks",
                    "sys/vm/overcommit_memory",
                    "sys/vm/drop_caches",
                    "sys/net/ipv4/ip_forward",
                    "sys/net/core/somaxconn",
                    "sys/user/max_user_namespaces",
                    "irq/default_smp_affinity",
                    "sysrq-trigger");

    private static Ground ground(RuntimeName runtime) throws Exception {
        return GROUNDS.under(runtime);
    }

    /// A13: the program that made the sandbox, and pid 1, reached through `/proc/*/exe` while
    /// sandboxes and processes start.
    @ParameterizedTest
    @EnumSource
    void noProgramOfTheHostIsOverwrittenThroughProc(RuntimeName runtime) throws Exception {
        Ground ground = ground(runtime);
        List<Path> programs =
                List.of(
                        HostFacts.program(runtime.program()).orElseThrow(),
                        ground.directory().resolve("state/base/glovebox-init"),
                        Path.of("/bin/bash"));
        Map<Path, Integer> before = hashes(programs);
        Path script = ground.workspace("exe").resolve("again");
        Files.writeString(script, "#!/proc/self/exe\n");
        Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
        try (Sandbox sandbox = ground.sandbox("exe", Limits.DEFAULT)) {
            Ground.Result result =
                    Ground.shell(
                            sandbox,
                            """
                            cp /bin/true /tmp/own; (echo x >> /tmp/own) && echo control
                            for i in $(seq 300); do
                              /workspace/again & sh -c : &
                              for exe in /proc/[0-9]*/exe /proc/self/exe /proc/1/exe; do
                                (echo '#!/bin/sh' > $exe) && echo "wrote $exe"
                              done
                            done 2>/dev/null
                            wait; (echo x > /.glovebox/init) && echo "wrote init"
                            """);
            for (int i = 0; i < 3; i++) {
                ground.sandbox("exe-" + i, Limits.DEFAULT).close();
            }
            assertThat(result.output()).startsWith("control").doesNotContain("wrote");
        }
        assertThat(hashes(programs)).isEqualTo(before);
    }

    private static Map<Path, Integer> hashes(List<Path> programs) throws IOException {
        Map<Path, Integer> hashes = new TreeMap<>();
        for (Path program : programs) {
            hashes.put(program, java.util.Arrays.hashCode(Files.readAllBytes(program)));
        }
        return hashes;
    }

    /// A14: a working directory that is a descriptor of the runtime or of pid 1.
    @ParameterizedTest
    @EnumSource
    void noWorkingDirectoryIsADescriptorLeftOpen(RuntimeName runtime) throws Exception {
        try (Sandbox sandbox = ground(runtime).sandbox("cwd", Limits.DEFAULT)) {
            for (int number = 3; number <= 200; number++) {
                String directory = "/proc/self/fd/" + number;
                Assertions.assertThatThrownBy(() ->
                                sandbox.guest()
                                        .start(
                                                ProcessRequest.of(
                                                        List.of("/bin/pwd"), Map.of(), directory))
                                        .close())
                        .isInstanceOf(GuestException.class)
                        .hasMessageMatching("chdir .*(ENOENT|ENOTDIR|EACCES)");
            }
        }
    }

    /// A18: not only pid 1: every process that is started has nothing, and can get nothing.
    @ParameterizedTest
    @EnumSource
    void everyProcessIsWithoutPrivilegesLikePidOne(RuntimeName runtime) throws Exception {
        try (Sandbox sandbox = ground(runtime).sandbox("status", Limits.DEFAULT)) {
            String status =
                    Ground.shell(
                                    sandbox,
                                    "grep -E '^(Cap|NoNewPrivs|Seccomp:|Uid|Gid|Groups)' /proc/self/status;"
                                            + " ulimit -Hc; cat /proc/self/oom_score_adj")
                            .output();
            List<String> lines =
                    status.lines().map(l -> l.replaceAll("\\s+", " ").strip()).toList();
            if (runtime == RUNSC) {
                assertThat(lines)
                        .as("gVisor tells less")
                        .contains("Uid: 1000 1000 1000 1000", "Seccomp: 2")
                        .filteredOn(line -> line.startsWith("Cap"))
                        .hasSize(4)
                        .allMatch(line -> line.endsWith(" 0000000000000000"));
                return;
            }
            assertThat(lines)
                    .containsExactly(
                            "Uid: 1000 1000 1000 1000",
                            "Gid: 1000 1000 1000 1000",
                            "Groups:",
                            "CapInh: 0000000000000000",
                            "CapPrm: 0000000000000000",
                            "CapEff: 0000000000000000",
                            "CapBnd: 0000000000000000",
                            "CapAmb: 0000000000000000",
                            "NoNewPrivs: 1",
                            "Seccomp: 2",
                            "0",
                            "600");
        }
    }

    /// A20: a crash inside neither leaves a file nor runs the program to which the host pipes its
    /// crashes. The limit 0 would not prevent that, so the agent must not be able to set it.
    @ParameterizedTest
    @EnumSource
    void aCrashRunsNoProgramOfTheHostAndLeavesNoFile(RuntimeName runtime) throws Exception {
        Ground ground = ground(runtime);
        Path log = ground.directory().resolve("crashes");
        Path handler = ground.directory().resolve("handler");
        Files.writeString(
                handler, "#!/bin/sh\ncat > /dev/null; echo \"crash $1\" >> " + log + "\n");
        Files.setPosixFilePermissions(handler, PosixFilePermissions.fromString("rwxr-xr-x"));
        String pattern = Files.readString(CORE_PATTERN).strip();
        String crash = "ulimit -c 0; sh -c 'kill -SEGV $$'; sh -c 'kill -ABRT $$'";
        try (Sandbox sandbox = ground.sandbox("crash", Limits.DEFAULT)) {
            Ground.shell(sandbox, "cd /workspace; " + crash);
            Files.writeString(CORE_PATTERN, "|" + handler + " %e");
            Ground.shell(
                    sandbox,
                    "cd /workspace; cp /bin/sh /tmp/inside; "
                            + crash.replace("sh -c", "/tmp/inside -c"));
            new ProcessBuilder("bash", "-c", crash).start().waitFor();
            Ground.await(
                    "control: crashes of the host are piped", () -> lines(log, "crash sh") == 2);
            assertThat(lines(log, "crash inside")).isZero();
            try (var left = Files.list(ground.workspace("crash"))) {
                assertThat(left).isEmpty();
            }
        } finally {
            Files.writeString(CORE_PATTERN, pattern);
        }
    }

    private static long lines(Path log, String line) {
        try {
            return Files.exists(log)
                    ? Files.readAllLines(log).stream().filter(line::equals).count()
                    : 0;
        } catch (IOException e) {
            return 0;
        }
    }

    /// A21: settings with which the host would run a program of the agent, or fall.
    @ParameterizedTest
    @EnumSource
    void noSettingOfTheKernelIsChanged(RuntimeName runtime) throws Exception {
        Map<String, String> before = settings();
        try (Sandbox sandbox = ground(runtime).sandbox("settings", Limits.DEFAULT)) {
            Ground.Result result =
                    Ground.shell(
                            sandbox,
                            """
                            (echo 1 > /tmp/f) && echo control
                            for f in %s; do
                              (echo 1 > /proc/$f) 2>/dev/null && echo "writes $f"
                            done
                            for f in /sys/kernel/uevent_helper /proc/sys/kernel/hotplug \
                                /proc/sys/fs/binfmt_misc/register /sys/fs/cgroup/release_agent \
                                /sys/fs/cgroup/memory/release_agent /sys/kernel/vmcoreinfo \
                                /sys/power/state /dev/mem /dev/kmem /dev/port /dev/kmsg /dev/vda; do
                              (echo 1 > $f) 2>/dev/null && echo "writes $f"
                            done
                            (cd /sys; echo *) | grep -vxF '*'
                            """
                                    .formatted(String.join(" ", SETTINGS)));
            if (runtime == RUNSC) {
                assertThat(result.output()).startsWith("control\n").doesNotContain("writes");
            } else {
                assertThat(result.output()).isEqualTo("control\n");
            }
        }
        assertThat(settings()).isEqualTo(before);
    }

    private static Map<String, String> settings() {
        Map<String, String> values = new TreeMap<>();
        for (String name : SETTINGS) {
            Path path = Path.of("/proc", name);
            if (!name.contains("ns_last_pid") && Files.isReadable(path)) {
                try {
                    values.put(name, Files.readString(path));
                } catch (IOException e) {
                    values.put(name, "unreadable");
                }
            }
        }
        return values;
    }

    /// A23: the ways `/proc` offers around a path lead to the sandbox's own files. A process with
    /// the agent's own ids that goes the same ways outside of the walls reads the canary.
    @ParameterizedTest
    @EnumSource
    void noWayThroughProcLeadsToTheHostsFiles(RuntimeName runtime) throws Exception {
        Ground ground = ground(runtime);
        Path canary = ground.canary("canary");
        String ways =
                """
                for way in /proc/1/root /proc/self/root /proc/self/root/../../.. /proc/1/cwd \
                    /proc/self/cwd/../../../../.. /proc/thread-self/root /proc/[0-9]*/root /proc/[0-9]*/cwd/../../../..; do
                  cat "$way%1$s" && echo " by $way"
                  head -c 5 "$way/proc/kcore"; cat "$way/etc/shadow"
                done 2>/dev/null
                cat '%1$s' 2>/dev/null
                """
                        .formatted(canary);
        try (Sandbox sandbox = ground.sandbox("roads", Limits.DEFAULT)) {
            assertThat(Ground.besideTheWalls(sandbox, "cd /var/tmp; " + ways).lines())
                    .as("control")
                    .contains(
                            "canary by /proc/self/root",
                            "canary by /proc/self/root/../../..",
                            "canary by /proc/self/cwd/../../../../..",
                            "canary by /proc/thread-self/root");
            Ground.Result result =
                    Ground.shell(
                            sandbox,
                            "echo own > /tmp/f; cat /proc/self/root/tmp/f\n"
                                    + ways
                                    + "ls -A /proc/self/root | grep -c .");
            assertThat(result.output()).startsWith("own\n").doesNotContain("canary", "root:");
        }
    }
}
