package dev.glovebox.linux.cgroup;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/// A control group for this process itself, in the version 1 hierarchy of `cpu` and no other.
///
/// The scheduler weighs groups that lie beside each other. A process that wants to be weighed
/// against single groups of its making, and not against all of them together, has to lie beside
/// them.
///
/// On version 2 there is no such thing: a group holds all of a process there, and a service manager
/// takes a process for ended that has left the group it was put into.
public final class OwnCpuGroup implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(OwnCpuGroup.class.getName());
    private static final Duration DEADLINE = Duration.ofSeconds(3);
    private static final String CPU = "cpu";
    private static final String PROCESSES = "cgroup.procs";

    private final Path directory;
    private final Path home;
    private final Path top;

    private OwnCpuGroup(Path directory, Path home, Path top) {
        this.directory = directory;
        this.home = home;
        this.top = top;
    }

    /// Makes the group and moves this process there, with all its threads. Processes that it starts
    /// from now on are born there.
    ///
    /// @param shares its weight; a group has 1,024 unless told otherwise
    /// @throws IOException if this host does not offer it, or does not let this process move; it
    ///   then is where it was
    public static OwnCpuGroup enter(Cgroup group, int shares) throws IOException {
        Path directory = directory(group);
        Path home = group.sibling(CPU, Membership.read(Path.of("/proc/self/cgroup")).in(CPU));
        Files.createDirectories(directory);
        Files.writeString(directory.resolve("cpu.shares"), String.valueOf(shares));
        Files.writeString(directory.resolve(PROCESSES), "0");
        return new OwnCpuGroup(directory, home, group.sibling(CPU, "/"));
    }

    /// Removes such a group of a process that was killed. Who is still in it is moved to the top of
    /// the hierarchy, and goes on. Nothing happens if there is none.
    public static void removeLeftover(Cgroup group) {
        group.controller(CPU)
                .filter(Files::isDirectory)
                .ifPresent(directory -> {
                    Path top = group.sibling(CPU, "/");
                    new OwnCpuGroup(directory, top, top).close();
                });
    }

    /// Moves this process back to where it was, and what it has started here with it, and removes
    /// the group.
    @Override
    public void close() {
        long end = System.nanoTime() + DEADLINE.toNanos();
        try {
            List<String> inside = inside();
            while (!inside.isEmpty() && System.nanoTime() < end) {
                for (String pid : inside) {
                    move(pid);
                }
                inside = inside();
            }
            Files.delete(directory);
        } catch (IOException e) {
            LOG.log(Level.WARNING, "cannot leave control group " + directory, e);
        }
    }

    private List<String> inside() throws IOException {
        return Files.readAllLines(directory.resolve(PROCESSES));
    }

    /// Where it was may have been removed meanwhile.
    private void move(String pid) throws IOException {
        try {
            Files.writeString(home.resolve(PROCESSES), pid);
        } catch (NoSuchFileException e) {
            Files.writeString(top.resolve(PROCESSES), pid);
        } catch (IOException e) {
            if (ProcessHandle.of(Long.parseLong(pid)).isPresent()) {
                throw e;
            }
        }
    }

    private static Path directory(Cgroup group) throws IOException {
        return group.controller(CPU)
                .orElseThrow(() -> new IOException("no version 1 hierarchy for " + CPU));
    }
}
