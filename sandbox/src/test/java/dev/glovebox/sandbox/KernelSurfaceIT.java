package dev.glovebox.sandbox;

import static dev.glovebox.sandbox.RuntimeName.RUNSC;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// How much of the kernel can be reached at all: every system call there is, and the large parts
/// behind a few of them. Needs root.
class KernelSurfaceIT {
    private static final int EPERM = 1;
    private static final int ENOSYS = 38;
    private static final int UNTRIED = 2000;
    @RegisterExtension static final Grounds GROUNDS = new Grounds();

    private static Ground ground(RuntimeName runtime) throws Exception {
        return GROUNDS.under(runtime);
    }

    /// The golden file says of each number what becomes of it, and no runtime and no library that
    /// translates the list may make anything else of it. What the kernel itself does not have is no
    /// proof, so that is counted on the host.
    @ParameterizedTest
    @EnumSource
    void everySystemCallThereIsHasItsVerdict(RuntimeName runtime) throws Exception {
        Ground ground = ground(runtime);
        Map<String, Integer> host = Ground.onHost(ground.directory(), "numbers");
        Map<String, String> golden = golden();
        try (Sandbox sandbox = ground.sandbox("numbers", Limits.DEFAULT)) {
            Map<String, Integer> inside =
                    Ground.run(sandbox, "/attack/attack", "numbers").numbers();

            Map<String, String> seen = new TreeMap<>();
            golden.keySet().forEach(call -> seen.put(call, verdict(inside, host, call, golden)));
            if (runtime == RUNSC) {
                assertThat(seen).allSatisfy((call, verdict) -> noMoreThan(golden, call, verdict));
            } else {
                assertThat(seen).isEqualTo(golden);
            }
            assertThat(inside.entrySet())
                    .as("numbers that are not in the file, such as those of newer kernels")
                    .filteredOn(e -> Integer.parseInt(e.getKey()) > 470)
                    .hasSize(130)
                    .allMatch(e -> e.getValue() == ENOSYS || runtime == RUNSC);
        }
        assertThat(
                        golden.entrySet().stream()
                                .filter(e -> e.getValue().matches("refused|unknown"))
                                .map(e -> host.get(number(e.getKey())))
                                .filter(errno -> errno != EPERM && errno != ENOSYS))
                .as("calls the host has and the sandbox has not")
                .hasSizeGreaterThan(80);
    }

    /// gVisor's kernel has fewer calls, and says so with either errno; what it has besides reaches
    /// it and not the host: the groups of a process, and its limits.
    private static void noMoreThan(Map<String, String> golden, String call, String verdict) {
        if (verdict.equals("passed") && !Set.of("116 setgroups", "160 setrlimit").contains(call)) {
            assertThat(golden).containsEntry(call, "passed");
        }
    }

    private static String verdict(
            Map<String, Integer> inside,
            Map<String, Integer> host,
            String call,
            Map<String, String> golden) {
        int errno = Objects.requireNonNull(inside.get(number(call)));
        boolean kernelLacksIt = errno == ENOSYS && Objects.equals(host.get(number(call)), ENOSYS);
        if (kernelLacksIt && "passed".equals(golden.get(call))) {
            return "passed";
        }
        return switch (errno) {
            case EPERM -> "refused";
            case ENOSYS -> "unknown";
            case UNTRIED -> "untried";
            default -> "passed";
        };
    }

    private static String number(String call) {
        return call.substring(0, call.indexOf(' '));
    }

    private static Map<String, String> golden() throws IOException {
        Map<String, String> verdicts = new TreeMap<>();
        try (InputStream file = KernelSurfaceIT.class.getResourceAsStream("system-calls.txt")) {
            String text =
                    new String(Objects.requireNonNull(file).readAllBytes(), StandardCharsets.UTF_8);
            text.lines()
                    .filter(line -> !line.startsWith("#"))
                    .forEach(line -> {
                        int space = line.lastIndexOf(' ');
                        verdicts.put(line.substring(0, space), line.substring(space + 1));
                    });
        }
        return verdicts;
    }

    /// A6: node would use io_uring if it could, and must find its way without.
    @ParameterizedTest
    @EnumSource
    void aProgramThatAsksForIoUringGoesOnWithoutIt(RuntimeName runtime) throws Exception {
        try (Sandbox sandbox = ground(runtime).sandbox("uring", Limits.DEFAULT)) {
            Ground.Result result =
                    Ground.shell(
                            sandbox,
                            """
                            UV_USE_IO_URING=1 node -e '
                              const fs = require("fs/promises");
                              fs.writeFile("/workspace/f", "written")
                                .then(() => fs.readFile("/workspace/f", "utf8")).then(console.log)'
                            """);
            assertThat(result.output()).isEqualTo("written\n");
        }
    }

    /// A7: keys are not divided by namespaces; those of the host's users must not be listed. There
    /// is one that everybody may see, and outside of the walls the agent's ids do.
    @ParameterizedTest
    @EnumSource
    void noKeyOfTheHostIsSeen(RuntimeName runtime) throws Exception {
        Ground ground = ground(runtime);
        String name = "glovebox-canary-" + runtime;
        Process holder =
                new ProcessBuilder(
                                ground.directory().resolve("attack/attack").toString(), "key", name)
                        .start();
        try (Sandbox sandbox = ground.sandbox("keys", Limits.DEFAULT)) {
            assertThat(holder.inputReader(StandardCharsets.UTF_8).readLine()).startsWith("key ");
            assertThat(Ground.besideTheWalls(sandbox, "cat /proc/keys"))
                    .as("control")
                    .contains(name);
            assertThat(
                            Ground.shell(
                                            sandbox,
                                            "cat /proc/keys /proc/key-users 2>/dev/null | wc -c")
                                    .output())
                    .isEqualTo("0\n");
            Map<String, Integer> inside = Ground.run(sandbox, "/attack/attack", "calls").numbers();
            assertThat(inside.get("keyctl")).isNotZero();
            assertThat(inside.get("add_key")).isNotZero();
            assertThat(inside.get("request_key")).isNotZero();
            assertThat(Ground.run(sandbox, "/attack/attack", "key", name).exit().code()).isOne();
        } finally {
            holder.destroyForcibly();
        }
    }

    private static final String MOUNTING =
            """
            cat /proc/self/mountinfo > /tmp/before
            mkdir /tmp/m
            mount -t tmpfs none /tmp/m; mount -t proc none /tmp/m
            mount --bind /etc /tmp/m; mount -o remount,rw,bind /; mount -o remount,rw,bind /usr
            mount -o remount,suid,dev /workspace; mount --make-shared /; mount --move /tmp /workspace
            umount -l /proc/sys; umount -l /proc/keys; umount -l /etc; umount -l /
            mount -t cgroup -o memory none /tmp/m; mount -t cgroup2 none /tmp/m
            mount -t overlay -o lowerdir=/etc,upperdir=/tmp/m,workdir=/tmp/m none /tmp/m
            mount -t sysfs none /tmp/m; mount -t devpts none /tmp/m; mount -t bpf none /tmp/m
            chroot /tmp /bin/true; unshare -Urm true; unshare -m true; pivot_root /tmp /tmp/m
            cmp /tmp/before /proc/self/mountinfo && rmdir /tmp/m && echo unchanged
            """;

    /// A10: whatever was tried, what is mounted is what was mounted. The control is root of the
    /// host in a mount namespace of its own.
    @ParameterizedTest
    @EnumSource
    void noMountIsMadeMovedOrLoosened(RuntimeName runtime) throws Exception {
        assertThat(
                        Ground.host(
                                "unshare",
                                "-m",
                                "bash",
                                "-c",
                                "mount -t tmpfs none /tmp; " + MOUNTING))
                .as("control")
                .doesNotContain("\nunchanged\n");
        try (Sandbox sandbox = ground(runtime).sandbox("mounts", Limits.DEFAULT)) {
            Ground.Result result =
                    Ground.shell(sandbox, "/attack/attack calls > /dev/null\n" + MOUNTING);
            assertThat(result.output()).endsWith("\nunchanged\n").doesNotContain("differ");
        }
    }
}
