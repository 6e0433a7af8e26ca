package dev.glovebox.linux.cgroup;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// A version 2 control group made by us, which a process enters by itself before it becomes another
/// program: for a program that has no right to control groups, or is not to be trusted with them.
///
/// Moving makes the kernel wait for a grace period (see [LegacyCgroup]); threads cannot move alone
/// in version 2, so there is no way around that here.
public final class UnifiedCgroup {
    private static final List<String> CONTROLLERS = List.of("+memory", "+cpu", "+pids");

    /// Handed down where it is offered.
    private static final String DISKS = "io";

    private final Path directory;

    private UnifiedCgroup(Path directory) {
        this.directory = directory;
    }

    /// Makes the group, and those above it, and limits it.
    ///
    /// @param memoryBytes most memory, with no swap besides
    /// @param cpus processors' worth of time
    /// @param pids most processes and threads
    /// @throws IOException when a limit cannot be set, or a controller cannot be handed down to the
    ///   group; it is then to be destroyed
    public static UnifiedCgroup create(Cgroup group, long memoryBytes, double cpus, int pids)
            throws IOException {
        Cgroups.Hierarchy hierarchy =
                group.unified().orElseThrow(() -> new IOException("no version 2 control groups"));
        Path at = hierarchy.directory();
        for (Path name : Path.of(group.path().substring(1))) {
            handDown(at);
            at = at.resolve(name);
            Files.createDirectories(at);
        }
        group.limit(memoryBytes, cpus, pids);
        Path swap = at.resolve("memory.swap.max"); // not there where the kernel has no swap
        if (Files.exists(swap)) {
            Files.writeString(swap, "0");
        }
        return new UnifiedCgroup(at);
    }

    /// The words of a command that enters the group and then becomes the given one.
    public List<String> entering(List<String> command) {
        List<String> words = new ArrayList<>();
        words.addAll(List.of("/bin/sh", "-c", "echo 0 > \"$0\" && exec \"$@\""));
        words.add(directory.resolve("cgroup.procs").toString());
        words.addAll(command);
        return List.copyOf(words);
    }

    /// Makes the controllers there for the groups below. One at a time, as some may be already and
    /// the kernel takes all of a line or nothing.
    private static void handDown(Path directory) throws IOException {
        Path file = directory.resolve("cgroup.subtree_control");
        for (String controller : CONTROLLERS) {
            Files.writeString(file, controller);
        }
        Path offered = directory.resolve("cgroup.controllers");
        if (Files.exists(offered) && Files.readString(offered).contains(DISKS)) {
            Files.writeString(file, "+" + DISKS);
        }
    }
}
