package dev.glovebox.linux.disk;

import dev.glovebox.linux.Errno;
import dev.glovebox.linux.Libc;
import dev.glovebox.linux.LinuxException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.Optional;

/// A lock on a file or a directory, `flock(2)`, that the kernel lets go when its holder dies: one
/// holder has it exclusively, or several share it.
///
/// It belongs to the open file, so two holders in one process exclude each other as two processes
/// do. It keeps nobody from the file who does not ask for it.
public final class Flock implements AutoCloseable {
    private static final int O_RDONLY_CLOEXEC_NOFOLLOW = 0x8_0000 | 0x2_0000;
    private static final int LOCK_SH_NB = 1 | 4;
    private static final int LOCK_EX_NB = 2 | 4;
    private static final int LOCK_UN = 8;

    private static final MethodHandle FLOCK =
            Libc.handle(
                    "flock",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));

    private final int descriptor;

    private Flock(int descriptor) {
        this.descriptor = descriptor;
    }

    /// Takes the lock for itself alone if nobody holds it; does not wait.
    ///
    /// @param path an existing file or directory and no symbolic link
    /// @return empty when somebody holds it
    /// @throws LinuxException when there is no such file
    public static Optional<Flock> tryTake(Path path) {
        return tryLocked(path, LOCK_EX_NB);
    }

    /// Takes the lock together with others who share it; does not wait.
    ///
    /// @return empty when somebody holds it alone
    /// @throws LinuxException when there is no such file
    public static Optional<Flock> tryShare(Path path) {
        return tryLocked(path, LOCK_SH_NB);
    }

    private static Optional<Flock> tryLocked(Path path, int how) {
        int descriptor = open(path, O_RDONLY_CLOEXEC_NOFOLLOW);
        if (tryLock(descriptor, path, how)) {
            return Optional.of(new Flock(descriptor));
        }
        close(descriptor);
        return Optional.empty();
    }

    /// Lets the lock go by name before the descriptor: a child that is just being started has a
    /// copy of the descriptor until it executes its program, and would hold the lock as long.
    @Override
    public void close() {
        try (Arena arena = Arena.ofConfined()) {
            // SAFETY: no memory is passed, and to unlock does not block.
            int ignored = (int) FLOCK.invokeExact(Libc.errnoCapture(arena), descriptor, LOCK_UN);
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        } finally {
            close(descriptor);
        }
    }

    /// Locks an open file for its holder alone.
    ///
    /// @return whether it is locked now
    static boolean tryLock(int descriptor, Path subject) {
        return tryLock(descriptor, subject, LOCK_EX_NB);
    }

    private static boolean tryLock(int descriptor, Path subject, int how) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment capture = Libc.errnoCapture(arena);
            // SAFETY: no memory is passed, and with LOCK_NB the call does not block.
            int answer = (int) FLOCK.invokeExact(capture, descriptor, how);
            if (answer < 0 && Libc.errno(capture) == Errno.EAGAIN) {
                return false;
            }
            Libc.check(answer, capture, "flock", subject);
            return true;
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }

    static int open(Path path, int flags) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment capture = Libc.errnoCapture(arena);
            // SAFETY: the path lives in the arena until after the call.
            return Libc.check(
                    (int)
                            Libc.OPEN.invokeExact(
                                    capture, arena.allocateFrom(path.toString()), flags),
                    capture,
                    "open",
                    path);
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }

    static void close(int descriptor) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment capture = Libc.errnoCapture(arena);
            // SAFETY: the descriptor is ours and is not used again.
            Libc.check(
                    (int) Libc.CLOSE.invokeExact(capture, descriptor),
                    capture,
                    "close",
                    descriptor);
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }
}
