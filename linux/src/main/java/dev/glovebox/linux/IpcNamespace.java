package dev.glovebox.linux;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Limits of System V IPC in the namespace of another process, `sysvipc(7)`.
///
/// Segments, queues and semaphores belong to no process: they outlive their maker and stay charged
/// to its control group, where nothing that the kernel could kill for want of memory frees them.
public final class IpcNamespace {
    private static final int CLONE_NEWIPC = 0x0800_0000;
    private static final long NR_SETRESUID =
            System.getProperty("os.arch").equals("aarch64") ? 147 : 117;
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

    private static final boolean FROM_INSIDE = readFromInside();

    private IpcNamespace() {}

    /// Whether a runtime can set them from inside: surely since Linux 6.9. Before, [#limit] does.
    public static boolean setFromInside() {
        return FROM_INSIDE;
    }

    private static boolean readFromInside() {
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

    /// Sets them from outside, in the namespace of the first of these processes that has one of its
    /// own.
    ///
    /// Who may depends on the kernel: root of the host, or (since 6.9, and in later releases of
    /// older kernels) the user who is root of the namespace's user namespace. Both are tried.
    ///
    /// @param pids of a sandbox; a runtime that is just leaving may be among them
    /// @param rootId where id 0 of its user namespace is on the host
    /// @throws LinuxException when the process is gone or the kernel refuses
    /// @throws IllegalStateException when none has a namespace of its own, or a limit is not taken
    public static void limit(Set<Integer> pids, long rootId) {
        Path own = link("self").orElseThrow();
        int pid =
                pids.stream()
                        .filter(each ->
                                link(Integer.toString(each))
                                        .filter(l -> !l.equals(own))
                                        .isPresent())
                        .findFirst()
                        .orElseThrow(() ->
                                new IllegalStateException(
                                        "there is no IPC namespace of its own among " + pids));
        KernelThread.call(
                "ipc-" + pid,
                () -> {
                    enter(pid);
                    try {
                        writeAll();
                    } catch (AccessDeniedException e) {
                        become(rootId);
                        writeAll();
                    }
                    return pid;
                });
    }

    private static void writeAll() throws AccessDeniedException {
        for (Map.Entry<String, String> limit : LIMITS.entrySet()) {
            Path file = SETTINGS.resolve(limit.getKey().substring("kernel.".length()));
            try {
                Files.writeString(file, limit.getValue());
            } catch (AccessDeniedException e) {
                throw e;
            } catch (IOException e) {
                throw new IllegalStateException("cannot set " + file, e);
            }
        }
    }

    /// Makes the calling thread, and not the process as the C library's `seteuid(3)` would, another
    /// user; with that it has lost its capabilities. It ends with this.
    private static void become(long id) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment capture = Libc.errnoCapture(arena);
            // SAFETY: no memory is passed; -1 leaves the real and the saved id as they are.
            long answer =
                    (long) Libc.SYSCALL.invokeExact(capture, NR_SETRESUID, -1L, id, -1L, 0L, 0L);
            Libc.check((int) answer, capture, "setresuid", "effective " + id);
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }

    private static Optional<Path> link(String pid) {
        try {
            return Optional.of(Files.readSymbolicLink(Path.of("/proc", pid, "ns/ipc")));
        } catch (IOException e) {
            return Optional.empty(); // it has ended
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
}
