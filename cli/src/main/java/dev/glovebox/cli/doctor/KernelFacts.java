package dev.glovebox.cli.doctor;

import dev.glovebox.linux.Landlock;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// What `/proc` and `/sys` say about the kernel. Reads only; the root of the tree is a parameter so
/// that any host can be shown to it.
final class KernelFacts {
    private static final int OLDEST_MAJOR = 5;
    private static final int OLDEST_MINOR = 12;
    private static final int CPU_IDLE_MINOR = 15;

    /// Version 1 forbids every rename between directories, so init does not use it.
    private static final int LANDLOCK_OF_USE = 2;

    /// Settings whose weak value makes an attack inside a sandbox easier: file, weak value, what
    /// the strong one does.
    private static final List<Map.Entry<String, String>> WEAK_SYSCTLS =
            List.of(
                    Map.entry("kernel/dmesg_restrict", "0"),
                    Map.entry("kernel/kptr_restrict", "0"),
                    Map.entry("kernel/io_uring_disabled", "0"),
                    Map.entry("kernel/unprivileged_bpf_disabled", "0"),
                    Map.entry("fs/protected_symlinks", "0"),
                    Map.entry("fs/protected_hardlinks", "0"),
                    Map.entry("fs/protected_fifos", "0"),
                    Map.entry("fs/protected_regular", "0"));

    private final HostFiles host;

    KernelFacts(Path root) {
        this.host = new HostFiles(root);
    }

    List<HostFact> collect() {
        List<HostFact> facts = new ArrayList<>();
        facts.add(version());
        facts.add(userNamespaces());
        facts.add(cgroups());
        facts.add(seccomp());
        facts.add(landlock());
        facts.add(swap());
        facts.add(sysctls());
        facts.add(crashes());
        return facts;
    }

    private HostFact version() {
        String release = host.read("proc/sys/kernel/osrelease");
        String[] parts = release.split("[.-]", 3);
        try {
            int major = Integer.parseInt(parts[0]);
            int minor = Integer.parseInt(parts[1]);
            if (major > OLDEST_MAJOR || (major == OLDEST_MAJOR && minor >= CPU_IDLE_MINOR)) {
                return HostFact.ok("kernel", release);
            }
            if (major == OLDEST_MAJOR && minor >= OLDEST_MINOR) {
                return HostFact.warn(
                        "kernel",
                        release,
                        "before Linux 5.15 (cpu.idle) a busy sandbox slows down the calls of the"
                                + " others");
            }
        } catch (NumberFormatException | ArrayIndexOutOfBoundsException _) {
            return HostFact.warn("kernel", "unknown: " + release, "Linux 5.12 or newer is needed");
        }
        return HostFact.fatal(
                "kernel", release, "id-mapped mounts need Linux 5.12 or newer; upgrade the kernel");
    }

    private HostFact userNamespaces() {
        String most = host.read("proc/sys/user/max_user_namespaces");
        if (most.isEmpty() || "0".equals(most)) {
            return HostFact.fatal(
                    "user namespaces",
                    "off",
                    "every sandbox has one: sysctl -w user.max_user_namespaces=10000");
        }
        return HostFact.ok("user namespaces", "up to " + most);
    }

    private HostFact cgroups() {
        if (host.exists("sys/fs/cgroup/cgroup.controllers")) {
            String controllers = host.read("sys/fs/cgroup/cgroup.controllers");
            return Stream.of("cpu", "memory", "pids").allMatch(controllers::contains)
                    ? HostFact.ok("cgroups", "v2: " + controllers)
                    : HostFact.fatal(
                            "cgroups",
                            "v2 without cpu, memory or pids: " + controllers,
                            "boot with these controllers on");
        }
        if (Stream.of("cpu", "memory", "pids", "freezer")
                .allMatch(c -> host.exists("sys/fs/cgroup/" + c))) {
            return HostFact.ok(
                    "cgroups",
                    host.exists("sys/fs/cgroup/unified") ? "v1 with a hybrid v2 tree" : "v1");
        }
        return HostFact.fatal(
                "cgroups",
                "none with cpu, memory and pids",
                "limits need cgroup v2 or v1 mounted at /sys/fs/cgroup");
    }

    private HostFact seccomp() {
        return host.read("proc/sys/kernel/seccomp/actions_avail").contains("errno")
                ? HostFact.ok("seccomp", "filters")
                : HostFact.fatal("seccomp", "no filters", "a kernel with CONFIG_SECCOMP_FILTER");
    }

    private static HostFact landlock() {
        int version = Landlock.offered();
        return version >= LANDLOCK_OF_USE
                ? HostFact.ok("landlock", "version " + version)
                : HostFact.warn(
                        "landlock",
                        version == 0 ? "not offered" : "version " + version + ", too old to use",
                        "no second layer behind the mounts");
    }

    private HostFact swap() {
        long areas = host.read("proc/swaps").lines().count();
        return areas <= 1
                ? HostFact.ok("swap", "none")
                : HostFact.warn(
                        "swap",
                        areas - 1 + " areas",
                        "memory of sandboxes, and of the worker with its keys, may reach the disk");
    }

    private HostFact sysctls() {
        List<String> weak =
                WEAK_SYSCTLS.stream()
                        .filter(s -> host.read("proc/sys/" + s.getKey()).equals(s.getValue()))
                        .map(s -> s.getKey().replace('/', '.') + "=" + s.getValue())
                        .toList();
        return weak.isEmpty()
                ? HostFact.ok("sysctls", "as they should be")
                : HostFact.warn(
                        "sysctls",
                        String.join(" ", weak),
                        "the sandbox does not rest on these; raising them adds a layer");
    }

    /// What becomes of a crash in a sandbox. A program that crashes are piped to runs as the host's
    /// root; the kernel does not start it for a process whose limit of core files is 1, as that of
    /// sandboxes is, unless the limit that this worker has itself is 0.
    private HostFact crashes() {
        String pattern = host.read("proc/sys/kernel/core_pattern");
        if (pattern.startsWith("@")) {
            return HostFact.warn(
                    "core_pattern",
                    pattern,
                    "a program of the host may be told of crashes in sandboxes: sysctl -w"
                            + " kernel.core_pattern=core");
        }
        if (!pattern.startsWith("|")) {
            return HostFact.ok("core_pattern", pattern.isEmpty() ? "none" : "a file");
        }
        return coreLimitIsZero()
                ? HostFact.warn(
                        "core_pattern",
                        pattern,
                        "with a hard limit of 0 on core files, as here, the host runs this as root for"
                                + " crashes in sandboxes: start the worker with ulimit -Hc 1 or more"
                                + " (LimitCORE=1)")
                : HostFact.ok(
                        "core_pattern",
                        "a pipe to a program of the host, not started for sandboxes (RLIMIT_CORE"
                                + " 1)");
    }

    private boolean coreLimitIsZero() {
        return host.read("proc/self/limits")
                .lines()
                .filter(line -> line.startsWith("Max core file size"))
                .map(line -> line.strip().split(" {2,}", -1))
                .anyMatch(columns -> columns.length > 2 && columns[2].equals("0"));
    }
}
