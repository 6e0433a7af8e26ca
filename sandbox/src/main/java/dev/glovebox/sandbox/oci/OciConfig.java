package dev.glovebox.sandbox.oci;

import dev.glovebox.linux.cgroup.CpuBandwidth;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.ObjectMapper;

/// Writes the `config.json` of an OCI bundle: a pure function of an [OciSpec].
///
/// The runtime is asked for as little as possible. Root, `/usr`, `/etc`, `/tmp`, the workspace and
/// so on are mounted before it starts, by us, with flags the runtime cannot drop; left to it are
/// what needs the new namespaces (`/proc`, `/dev`) and the process itself.
///
/// See the OCI runtime specification 1.0.2, `config.md` and `config-linux.md`.
public final class OciConfig {
    private static final ObjectMapper JSON = new ObjectMapper();

    /// Ids of one sandbox.
    public static final int IDS = 65_536;

    private static final long SOFT_OPEN_FILES = 1024;
    private static final long BYTES_PER_INODE = 4096;
    private static final int UMASK = 0022;

    /// Files of `/proc` that tell of the host or reach into it.
    public static final List<String> MASKED =
            List.of(
                    "/proc/acpi",
                    "/proc/asound",
                    "/proc/buddyinfo",
                    "/proc/cmdline",
                    "/proc/config.gz",
                    "/proc/consoles",
                    "/proc/diskstats",
                    "/proc/driver",
                    "/proc/interrupts",
                    "/proc/iomem",
                    "/proc/ioports",
                    "/proc/kallsyms",
                    "/proc/kcore",
                    "/proc/key-users",
                    "/proc/keys",
                    "/proc/kmsg",
                    "/proc/latency_stats",
                    "/proc/modules",
                    "/proc/mtrr",
                    "/proc/partitions",
                    "/proc/pressure",
                    "/proc/sched_debug",
                    "/proc/scsi",
                    "/proc/softirqs",
                    "/proc/swaps",
                    "/proc/sysrq-trigger",
                    "/proc/timer_list",
                    "/proc/timer_stats",
                    "/proc/vmallocinfo",
                    "/proc/zoneinfo");

    /// How much sooner than others of the host a process of a sandbox is killed when the host
    /// itself runs out of memory.
    public static final int OOM_SCORE = 500;

    /// Directories of `/proc` that nobody may write to.
    public static final List<String> READ_ONLY =
            List.of("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys");

    private static final List<String> INIT = List.of("/.glovebox/init");
    private static final List<String> VARIABLES = List.of("PATH=/usr/bin:/bin");
    private static final String HOSTNAME = "glovebox";

    private OciConfig() {}

    /// The JSON text.
    public static byte[] write(OciSpec spec) {
        Map<String, Object> config = new LinkedHashMap<>();
        config.put("ociVersion", "1.0.2");
        config.put("process", process(spec));
        config.put(
                "root", Map.of("path", spec.root().toString(), "readonly", !spec.writableRoot()));
        config.put("hostname", HOSTNAME);
        config.put("mounts", mounts(spec));
        config.put("linux", linux(spec));
        return JSON.writeValueAsBytes(config);
    }

    private static Map<String, Object> process(OciSpec spec) {
        Map<String, Object> process = new LinkedHashMap<>();
        process.put("terminal", false);
        int id = spec.privileges().id();
        process.put("user", Map.of("uid", id, "gid", id, "umask", UMASK));
        process.put("args", INIT);
        process.put("env", VARIABLES);
        process.put("cwd", "/");
        process.put("capabilities", capabilities(spec.privileges()));
        process.put("noNewPrivileges", true);
        process.put("oomScoreAdj", OOM_SCORE);
        process.put("rlimits", limits(spec));
        return process;
    }

    /// Nothing is inheritable or ambient, so a process that leaves uid 0 has none.
    private static Map<String, Object> capabilities(Privileges privileges) {
        Map<String, Object> sets = new LinkedHashMap<>();
        for (String set : List.of("bounding", "effective", "permitted")) {
            sets.put(set, privileges.capabilities());
        }
        sets.put("inheritable", List.of());
        sets.put("ambient", List.of());
        return sets;
    }

    private static List<Map<String, Object>> limits(OciSpec spec) {
        List<Map<String, Object>> limits = new ArrayList<>();
        new TreeMap<>(spec.resources().processLimits())
                .forEach((name, most) -> limits.add(limit(name, most)));
        return limits;
    }

    private static Map<String, Object> limit(String name, long most) {
        return Map.of("type", name, "soft", softLimit(name, most), "hard", most);
    }

    /// The soft limit of descriptors is less: programs that use `select(2)` break above it, and
    /// those that want more raise it themselves.
    public static long softLimit(String name, long most) {
        return name.equals("RLIMIT_NOFILE") ? Math.min(SOFT_OPEN_FILES, most) : most;
    }

    private static List<Map<String, Object>> mounts(OciSpec spec) {
        List<Map<String, Object>> mounts = new ArrayList<>();
        mounts.add(mount("/proc", "proc", "nosuid", "nodev", "noexec", "hidepid=invisible"));
        if (!spec.ownKernel()) {
            mounts.add(
                    mount(
                            "/dev",
                            "tmpfs",
                            "nosuid",
                            "noexec",
                            "mode=755",
                            "size=64k",
                            "nr_inodes=512"));
            mounts.add(
                    mount(
                            "/dev/pts",
                            "devpts",
                            "nosuid",
                            "noexec",
                            "newinstance",
                            "ptmxmode=0666",
                            "mode=0620",
                            "max=64"));
        }
        mounts.add(
                mount(
                        "/dev/shm",
                        "tmpfs",
                        "nosuid",
                        "nodev",
                        "noexec",
                        "mode=1777",
                        "size=" + spec.resources().shmBytes(),
                        "nr_inodes=" + spec.resources().shmBytes() / BYTES_PER_INODE));
        for (OciSpec.Submount submount : spec.submounts()) {
            mounts.add(
                    Map.of(
                            "destination",
                            submount.target(),
                            "type",
                            submount.type(),
                            "source",
                            submount.source(),
                            "options",
                            submount.options()));
        }
        return mounts;
    }

    private static Map<String, Object> mount(String target, String type, String... options) {
        return Map.of(
                "destination", target, "type", type, "source", type, "options", List.of(options));
    }

    private static Map<String, Object> linux(OciSpec spec) {
        Map<String, Object> linux = new LinkedHashMap<>();
        linux.put("namespaces", namespaces(spec));
        if (!spec.ownKernel()) {
            List<Map<String, Object>> mapping =
                    List.of(Map.of("containerID", 0, "hostID", spec.firstHostId(), "size", IDS));
            linux.put("uidMappings", mapping);
            linux.put("gidMappings", mapping);
        }
        linux.put("cgroupsPath", spec.resources().cgroup());
        linux.put("resources", resources(spec));
        linux.put("sysctl", new TreeMap<>(spec.resources().settings()));
        linux.put("rootfsPropagation", "private");
        SeccompRules.of(spec.privileges(), spec.ownKernel())
                .ifPresent(rules -> linux.put("seccomp", rules));
        linux.put("maskedPaths", MASKED);
        linux.put("readonlyPaths", READ_ONLY);
        return linux;
    }

    private static List<Map<String, Object>> namespaces(OciSpec spec) {
        List<Map<String, Object>> namespaces = new ArrayList<>();
        for (String type : List.of("pid", "mount", "ipc", "uts", "cgroup")) {
            namespaces.add(Map.of("type", type));
        }
        if (!spec.ownKernel()) {
            namespaces.add(Map.of("type", "user"));
        }
        if (spec.networkNamespace().isEmpty()) {
            namespaces.add(Map.of("type", "network"));
        } else if (!spec.ownKernel()) {
            String path = spec.networkNamespace().get().toString();
            namespaces.add(Map.of("type", "network", "path", path));
        }
        return namespaces;
    }

    private static Map<String, Object> resources(OciSpec spec) {
        Map<String, Object> resources = new LinkedHashMap<>();
        resources.put("devices", devices());
        resources.put(
                "memory",
                Map.of(
                        "limit",
                        spec.resources().memoryBytes(),
                        "swap",
                        spec.resources().memoryBytes()));
        CpuBandwidth cpu = CpuBandwidth.of(spec.resources().cpus());
        resources.put("cpu", Map.of("quota", cpu.quotaMicros(), "period", cpu.periodMicros()));
        resources.put("pids", Map.of("limit", spec.resources().pids()));
        return resources;
    }

    /// None; the runtime itself adds the rules for the nodes it makes in `/dev`.
    private static List<Map<String, Object>> devices() {
        return List.of(Map.of("allow", false, "access", "rwm"));
    }
}
