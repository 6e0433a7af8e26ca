package dev.glovebox.sandbox.launch;

import dev.glovebox.linux.mount.MountInfo;
import dev.glovebox.sandbox.SandboxException;
import dev.glovebox.sandbox.SandboxException.Band;
import dev.glovebox.sandbox.oci.OciConfig;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// What sandboxes need to know of this process and machine.
public final class HostFacts {
    private static final Path LIMITS = Path.of("/proc/self/limits");
    private static final Map<String, String> NAMESPACES = readNamespaces();
    private static final Map<String, Long> HARD_LIMITS = readHardLimits();

    private static final List<String> MASKED =
            OciConfig.MASKED.stream().filter(path -> Files.exists(Path.of(path))).toList();

    private static final List<String> MASKED_DIRECTORIES =
            MASKED.stream().filter(path -> Files.isDirectory(Path.of(path))).toList();

    private HostFacts() {}

    /// What of [OciConfig#MASKED] this kernel has.
    static List<String> masked() {
        return MASKED;
    }

    /// The directories among [#masked].
    static List<String> maskedDirectories() {
        return MASKED_DIRECTORIES;
    }

    /// Links of the worker's namespaces by type, such as `net` to `net:[4026531840]`.
    public static Map<String, String> namespaces() {
        return NAMESPACES;
    }

    private static Map<String, String> readNamespaces() {
        Map<String, String> links = new TreeMap<>();
        try (DirectoryStream<Path> types = Files.newDirectoryStream(Path.of("/proc/self/ns"))) {
            for (Path type : types) {
                links.put(type.getFileName().toString(), Files.readSymbolicLink(type).toString());
            }
            return Map.copyOf(links);
        } catch (IOException e) {
            throw new SandboxException(Band.HOST, "cannot read /proc/self/ns", e);
        }
    }

    /// Where something is mounted on the host now.
    static Set<String> mountPoints() {
        return MountInfo.ofThisProcess().stream()
                .map(MountInfo::target)
                .collect(Collectors.toUnmodifiableSet());
    }

    /// What `/proc/version` of this host says.
    public static String kernelVersion() {
        try {
            return Files.readString(Path.of("/proc/version"));
        } catch (IOException e) {
            throw new SandboxException(Band.HOST, "cannot read /proc/version", e);
        }
    }

    /// The link a process in the network namespace at this path sees, `net:[inode]`.
    public static String namespaceLink(Path path) {
        try {
            return "net:[" + Files.getAttribute(path, "unix:ino") + "]";
        } catch (IOException e) {
            throw new SandboxException(Band.CALLER, "no network namespace at " + path, e);
        }
    }

    /// The link of the mount namespace of a process, empty if it is gone.
    public static String mountNamespace(int pid) {
        try {
            return Files.readSymbolicLink(Path.of("/proc/" + pid + "/ns/mnt")).toString();
        } catch (IOException e) {
            return "";
        }
    }

    /// As much of what is wanted as this process has itself and may therefore give: root without
    /// `CAP_SYS_RESOURCE` cannot raise a hard limit.
    ///
    /// @param limit as `/proc/self/limits` calls it, such as `Max open files`
    public static long atMost(String limit, long wanted) {
        return Math.min(wanted, HARD_LIMITS.getOrDefault(limit, 0L));
    }

    /// Columns of `/proc/self/limits` are as wide as in `fs/proc/base.c`: 26 for the name, 21 for
    /// the soft limit.
    private static Map<String, Long> readHardLimits() {
        Map<String, Long> limits = new TreeMap<>();
        try {
            for (String line : Files.readAllLines(LIMITS)) {
                String[] values = line.substring(26).strip().split("\\s+", -1);
                if (values.length > 1 && values[1].matches("\\d+|unlimited")) {
                    limits.put(
                            line.substring(0, 26).strip(),
                            values[1].equals("unlimited")
                                    ? Long.MAX_VALUE
                                    : Long.parseLong(values[1]));
                }
            }
            return Map.copyOf(limits);
        } catch (IOException e) {
            throw new SandboxException(Band.HOST, "cannot read " + LIMITS, e);
        }
    }

    /// Where a program is, by the usual directories of the system's own programs.
    public static Optional<Path> program(String name) {
        return Arrays.stream("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin".split(":", -1))
                .map(directory -> Path.of(directory, name))
                .filter(Files::isExecutable)
                .findFirst();
    }
}
