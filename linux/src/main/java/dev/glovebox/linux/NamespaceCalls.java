package dev.glovebox.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/// The system calls that make, enter and pin a network namespace.
///
/// SAFETY, for every downcall here: each segment lives in a confined arena that outlives the call,
/// and errno is read from the capture segment of that same call. [#unshareNetwork] and [#enter]
/// change the calling kernel thread and are called on a [KernelThread] only.
public final class NamespaceCalls {
    private static final int CLONE_NEWNET = 0x40000000;
    private static final int O_RDONLY_CLOEXEC = 0x80000;
    private static final long MS_BIND = 4096;
    private static final int MNT_DETACH = 2;

    private NamespaceCalls() {}

    /// Moves the calling thread into a new, empty network namespace (`unshare(2)`).
    public static void unshareNetwork() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = Libc.errnoCapture(arena);
            Libc.check(
                    (int) Libc.UNSHARE.invokeExact(errno, CLONE_NEWNET),
                    errno,
                    "unshare",
                    "CLONE_NEWNET");
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }

    /// Moves the calling thread into the network namespace behind `fd` (`setns(2)`).
    public static void enter(int fd) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = Libc.errnoCapture(arena);
            Libc.check(
                    (int) Libc.SETNS.invokeExact(errno, fd, CLONE_NEWNET),
                    errno,
                    "setns",
                    "fd " + fd);
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }

    /// Opens the path read-only and close-on-exec; the caller closes the descriptor.
    public static int open(String path) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = Libc.errnoCapture(arena);
            int fd = (int) Libc.OPEN.invokeExact(errno, arena.allocateFrom(path), O_RDONLY_CLOEXEC);
            return Libc.check(fd, errno, "open", path);
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }

    /// Closes the descriptor. Linux releases it whatever `close(2)` answers, so there is nothing to
    /// report.
    public static void close(int fd) {
        try (Arena arena = Arena.ofConfined()) {
            int ignored = (int) Libc.CLOSE.invokeExact(Libc.errnoCapture(arena), fd);
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }

    /// Makes `target` another name of `source` (`mount(2)` with `MS_BIND`).
    public static void bind(String source, Path target) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = Libc.errnoCapture(arena);
            int answer =
                    (int)
                            Libc.MOUNT.invokeExact(
                                    errno,
                                    arena.allocateFrom(source),
                                    arena.allocateFrom(target.toString()),
                                    MemorySegment.NULL,
                                    MS_BIND,
                                    MemorySegment.NULL);
            Libc.check(answer, errno, "mount", target.toString());
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }

    /// Takes the topmost mount off `target`; false if none was there.
    public static boolean unbind(Path target) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = Libc.errnoCapture(arena);
            int answer =
                    (int)
                            Libc.UMOUNT2.invokeExact(
                                    errno, arena.allocateFrom(target.toString()), MNT_DETACH);
            if (answer < 0 && Libc.errno(errno) == Errno.EINVAL) {
                return false;
            }
            Libc.check(answer, errno, "umount2", target.toString());
            return true;
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }
}
