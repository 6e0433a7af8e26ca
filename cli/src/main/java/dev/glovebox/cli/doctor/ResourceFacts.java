package dev.glovebox.cli.doctor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// Memory, disk, privileges and the Java that runs this.
final class ResourceFacts {
    private static final long MIB = 1024L * 1024;
    private static final long LOW_DISK = 1024 * MIB;
    private static final int NEEDED_JAVA = 25;

    private final Path dataDirectory;

    /// @param dataDirectory where the worker would keep its state
    ResourceFacts(Path dataDirectory) {
        this.dataDirectory = dataDirectory;
    }

    List<HostFact> collect() {
        return List.of(java(), privileges(), memory(), disk(), workspaceDisks());
    }

    private static HostFact java() {
        String version = Runtime.version().toString();
        return Runtime.version().feature() >= NEEDED_JAVA
                ? HostFact.ok("java", version)
                : HostFact.fatal("java", version, "install a JDK 25 or newer");
    }

    private static HostFact privileges() {
        return "root".equals(System.getProperty("user.name"))
                ? HostFact.ok("privileges", "root")
                : HostFact.fatal(
                        "privileges",
                        System.getProperty("user.name"),
                        "the worker makes namespaces, mounts and cgroups: run it as root");
    }

    private static HostFact memory() {
        try {
            long kib =
                    Files.readAllLines(Path.of("/proc/meminfo")).stream()
                            .filter(l -> l.startsWith("MemAvailable:"))
                            .mapToLong(l -> Long.parseLong(l.replaceAll("\\D", "")))
                            .findFirst()
                            .orElse(0);
            return HostFact.ok("memory", kib / 1024 + " MiB available");
        } catch (IOException e) {
            return HostFact.warn("memory", "unknown", String.valueOf(e.getMessage()));
        }
    }

    /// What a workspace with a limit needs, `docs/decisions/0016`.
    private static HostFact workspaceDisks() {
        List<String> missing = new ArrayList<>();
        if (!Files.exists(Path.of("/dev/loop-control"))) {
            missing.add("loop devices");
        }
        if (Stream.of("/usr/sbin", "/sbin", "/usr/bin")
                .noneMatch(bin -> Files.isExecutable(Path.of(bin, "mkfs.ext4")))) {
            missing.add("mkfs.ext4");
        }
        return missing.isEmpty()
                ? HostFact.ok("workspace disks", "loop devices, mkfs.ext4")
                : HostFact.warn(
                        "workspace disks",
                        "no " + String.join(", no ", missing),
                        "a workspace has no limit without: install e2fsprogs, give a container"
                                + " /dev/loop-control, or set limits.disk: none");
    }

    private HostFact disk() {
        Path existing = dataDirectory.toAbsolutePath();
        while (existing.getParent() != null && !Files.exists(existing)) {
            existing = existing.getParent();
        }
        try {
            var store = Files.getFileStore(existing);
            String value =
                    store.getUsableSpace() / MIB
                            + " MiB free for "
                            + dataDirectory
                            + " ("
                            + store.type()
                            + ")";
            return store.getUsableSpace() >= LOW_DISK
                    ? HostFact.ok("disk", value)
                    : HostFact.warn("disk", value, "workspaces need room; free some");
        } catch (IOException e) {
            return HostFact.warn("disk", "unknown", String.valueOf(e.getMessage()));
        }
    }
}
