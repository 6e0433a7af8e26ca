package dev.glovebox.linux.cgroup;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;

/// A version 1 control group made by us, in which a process can be *born*.
///
/// Moving a process into a group (writing `cgroup.procs`, as runtimes do) makes the kernel wait for
/// an RCU grace period, 10 to 20 ms on an idle machine. A thread that writes `0` to a `tasks` file
/// moves itself alone, for which the kernel waits for nobody (`cgroup_procs_write_start`, Linux
/// 5.5). So a [dev.glovebox.linux.KernelThread] enters the groups, starts the process, which is
/// born where its parent is, and goes back.
///
/// While it is inside, this process counts as one task of the group; it must be out again before
/// the group may be frozen or killed.
public final class LegacyCgroup {
    private static final List<String> CONTROLLERS =
            List.of("memory", "pids", "cpu", "devices", "freezer");

    private static final List<String> IF_THERE = List.of("cpuacct", "blkio");

    /// null, zero, full, random, urandom, tty, ptmx, terminals: what a sandbox has in `/dev`.
    private static final List<String> DEVICES =
            List.of(
                    "c 1:3 rw",
                    "c 1:5 rw",
                    "c 1:7 rw",
                    "c 1:8 rw",
                    "c 1:9 rw",
                    "c 5:0 rw",
                    "c 5:2 rw",
                    "c 136:* rw");

    private final Cgroup group;
    private final Map<String, Path> directories;

    private LegacyCgroup(Cgroup group, Map<String, Path> directories) {
        this.group = group;
        this.directories = directories;
    }

    /// Makes the group in the hierarchies of memory, pids, cpu, devices and freezer, and limits it;
    /// where the host has them, in that of cpuacct too, to know what processor time was used, and
    /// in that of blkio, in which the speed of disks can be limited.
    ///
    /// @param memoryBytes most memory, with no swap besides
    /// @param cpus processors' worth of time
    /// @param pids most processes and threads
    /// @throws IOException when a limit cannot be set; the group is then to be destroyed
    public static LegacyCgroup create(Cgroup group, long memoryBytes, double cpus, int pids)
            throws IOException {
        Map<String, Path> directories = new LinkedHashMap<>();
        for (String controller : CONTROLLERS) {
            Path directory =
                    group.controller(controller)
                            .orElseThrow(() -> new IOException("no hierarchy for " + controller));
            Files.createDirectories(directory);
            directories.put(controller, directory);
        }
        for (String controller : IF_THERE) {
            Optional<Path> directory = group.controller(controller);
            if (directory.isPresent()) {
                Files.createDirectories(directory.get());
                directories.put(controller, directory.get());
            }
        }
        LegacyCgroup made = new LegacyCgroup(group, directories);
        group.limit(memoryBytes, cpus, pids);
        made.allowDevices();
        return made;
    }

    /// Calls the task while the calling thread, of [dev.glovebox.linux.KernelThread], is in the
    /// group.
    public <T> T within(Callable<T> task) throws Exception {
        Map<Path, Path> home = home();
        try {
            for (Path directory : directories.values()) {
                enter(directory);
            }
            return task.call();
        } finally {
            for (Path directory : home.values()) {
                enter(directory);
            }
        }
    }

    private void allowDevices() throws IOException {
        write("devices", "devices.deny", "a");
        for (String device : DEVICES) {
            write("devices", "devices.allow", device);
        }
    }

    /// Where the calling thread is now, by the directory of this group in the same hierarchy.
    private Map<Path, Path> home() throws IOException {
        Map<Path, Path> home = new LinkedHashMap<>();
        Membership mine = Membership.read(Path.of("/proc/thread-self/cgroup"));
        for (Map.Entry<String, Path> entry : directories.entrySet()) {
            home.put(entry.getValue(), group.sibling(entry.getKey(), mine.in(entry.getKey())));
        }
        return home;
    }

    private static void enter(Path directory) throws IOException {
        Files.writeString(directory.resolve("tasks"), "0");
    }

    private void write(String controller, String name, String value) throws IOException {
        Files.writeString(file(controller, name), value);
    }

    private Path file(String controller, String name) {
        Path directory = directories.get(controller);
        if (directory == null) {
            throw new IllegalArgumentException(controller);
        }
        return directory.resolve(name);
    }
}
