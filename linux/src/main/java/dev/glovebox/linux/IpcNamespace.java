package dev.glovebox.linux;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Limits of System V IPC in the namespace of another process, `sysvipc(7)`.
///
/// Segments, queues and semaphores belong to no process: they outlive their maker and stay charged
/// to its control group, where nothing that the kernel could kill for want of memory frees them.
public final class IpcNamespace {
    private static final int CLONE_NEWIPC = 0x0800_0000;
    private static final Path SETTINGS = Path.of("/proc/sys/kernel");

    private static final Pattern RELEASE = Pattern.compile("(\\d+)\\.(\\d+).*", Pattern.DOTALL);

    /// By their names in `sysctl(8)`. A segment goes with the last process that has it; at most 32
    /// queues of 16 KiB and 128 sets of 250 semaphores, which a database takes a handful of.
    public static final Map<String, String> LIMITS =
            Map.of(
                    "kernel.shm_rmid_forced",
                    "1",
                    "kernel.msgmni",
                    "32",
                    "kernel.sem",
                    "250 32000 100 128");

    private IpcNamespace() {}

    /// Who may set them: the root of the namespace's user namespace since Linux 6.9, root of the
    /// host ([#limit]) before, and never both.
    public static boolean setFromInside() {
        try {
            Matcher release = RELEASE.matcher(Files.readString(SETTINGS.resolve("osrelease")));
            return release.matches()
                    && 1000 * Integer.parseInt(release.group(1))
                                    + Integer.parseInt(release.group(2))
                            >= 6009;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the kernel's release", e);
        }
    }

    /// Sets them from outside.
    ///
    /// @param pid of a process in the namespace
    /// @throws LinuxException when the process is gone or the kernel refuses
    /// @throws IllegalStateException when the namespace is the caller's own, or a limit is not
    ///   taken
    public static void limit(int pid) {
        if (link("self").equals(link(Integer.toString(pid)))) {
            throw new IllegalStateException(pid + " has no IPC namespace of its own");
        }
        KernelThread.call(
                "ipc-" + pid,
                () -> {
                    enter(pid);
                    for (Map.Entry<String, String> limit : LIMITS.entrySet()) {
                        write(limit.getKey().substring("kernel.".length()), limit.getValue());
                    }
                    return pid;
                });
    }

    private static Path link(String pid) {
        try {
            return Files.readSymbolicLink(Path.of("/proc", pid, "ns/ipc"));
        } catch (IOException e) {
            throw new IllegalStateException("no process " + pid, e);
        }
    }

    private static void enter(int pid) {
        int namespace = NamespaceCalls.open("/proc/" + pid + "/ns/ipc");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment capture = Libc.errnoCapture(arena);
            // SAFETY: no memory is passed; the calling thread alone changes, and ends with this.
            Libc.check(
                    (int) Libc.SETNS.invokeExact(capture, namespace, CLONE_NEWIPC),
                    capture,
                    "setns",
                    "ipc of " + pid);
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        } finally {
            NamespaceCalls.close(namespace);
        }
    }

    private static void write(String name, String value) {
        try {
            Files.writeString(SETTINGS.resolve(name), value);
        } catch (IOException e) {
            throw new IllegalStateException("cannot set " + SETTINGS.resolve(name), e);
        }
    }
}
