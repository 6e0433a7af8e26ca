package dev.glovebox.cli.doctor;

import dev.glovebox.linux.KernelClock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Year;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// Memory, disk, privileges and the Java that runs this.
final class ResourceFacts {
    private static final long MIB = 1024L * 1024;
    private static final long LOW_DISK = 1024 * MIB;
    private static final long LOW_INODES = 100_000;
    private static final int NEEDED_JAVA = 25;

    /// In which this was written: no right clock is before it.
    private static final int FIRST_YEAR = 2026;

    private final Path dataDirectory;

    /// @param dataDirectory where the worker would keep its state
    ResourceFacts(Path dataDirectory) {
        this.dataDirectory = dataDirectory;
    }

    List<HostFact> collect() {
        return List.of(java(), privileges(), memory(), disk(), inodes(), workspaceDisks(), clock());
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
        try {
            var store = Files.getFileStore(existing());
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

    private HostFact inodes() {
        return inodes(
                ProgramOutput.firstLine("stat", "-f", "-c", "%d %c", existing().toString())
                        .orElse(""));
    }

    /// @param counted free and all inodes of a file system, 0 of those that have no number of them
    static HostFact inodes(String counted) {
        if (!counted.matches("\\d{1,18} \\d{1,18}")) {
            return HostFact.warn("inodes", "unknown", "df -i says how many are free");
        }
        String[] words = counted.split(" ", -1);
        long free = Long.parseLong(words[0]);
        if (Long.parseLong(words[1]) == 0) {
            return HostFact.ok("inodes", "as many as there is room for");
        }
        String value = free + " free";
        return free >= LOW_INODES
                ? HostFact.ok("inodes", value)
                : HostFact.warn(
                        "inodes",
                        value,
                        "each file of an image's layers takes one, as does one of a workspace without"
                                + " a disk: remove files, or use another file system");
    }

    private static HostFact clock() {
        return clock(Year.now(ZoneOffset.UTC).getValue(), KernelClock.synchronised());
    }

    static HostFact clock(int year, Optional<Boolean> synchronised) {
        String advice =
                "certificates, records and credentials go by it: run chrony or systemd-timesyncd";
        if (year < FIRST_YEAR) {
            return HostFact.warn("clock", "says that it is " + year, advice);
        }
        return synchronised.orElse(true)
                ? HostFact.ok(
                        "clock",
                        synchronised.isPresent() ? "synchronised" : "the kernel does not say")
                : HostFact.warn("clock", "not synchronised, says the kernel", advice);
    }

    private Path existing() {
        Path existing = dataDirectory.toAbsolutePath();
        while (existing.getParent() != null && !Files.exists(existing)) {
            existing = existing.getParent();
        }
        return existing;
    }
}
