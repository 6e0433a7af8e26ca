package dev.glovebox.linux;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// A file this process holds open, and a path by which other processes of the host reach the very
/// same one, whatever is mounted where they are (`/proc/PID/fd`, `proc_pid_fd(5)`).
public final class HeldFile implements AutoCloseable {
    private static final int MFD_CLOEXEC = 1;
    private static final int MFD_ALLOW_SEALING = 2;
    private static final int MFD_EXEC = 0x10; // Linux 6.3; before, every such file may be run
    private static final int F_ADD_SEALS = 1033;
    private static final int ALL_SEALS = 0xf; // seal, shrink, grow, write

    private static final MethodHandle MEMFD_CREATE =
            Libc.handle(
                    "memfd_create",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
    private static final MethodHandle FCNTL =
            Libc.variadic(
                    "fcntl",
                    2,
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_INT));

    private final int descriptor;

    private HeldFile(int descriptor) {
        this.descriptor = descriptor;
    }

    /// Opens a file for reading.
    ///
    /// @throws LinuxException if it cannot be opened
    public static HeldFile open(Path path) {
        return new HeldFile(NamespaceCalls.open(path.toString()));
    }

    /// Copies a program into memory, where nobody can change it any more (`memfd_create(2)`,
    /// `F_ADD_SEALS`).
    ///
    /// @throws LinuxException if this host lets no program run from memory (`vm.memfd_noexec`)
    /// @throws UncheckedIOException if it cannot be read
    public static HeldFile sealedCopy(Path program) {
        HeldFile copy = new HeldFile(memory(String.valueOf(program.getFileName())));
        try {
            copy.fill(program);
            copy.seal();
            return copy;
        } catch (RuntimeException e) {
            copy.close();
            throw e;
        }
    }

    /// Where other processes find it, as long as this is open.
    public Path path() {
        return Path.of("/proc/" + ProcessHandle.current().pid() + "/fd/" + descriptor);
    }

    @Override
    public void close() {
        NamespaceCalls.close(descriptor);
    }

    private static int memory(String name) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment capture = Libc.errnoCapture(arena);
            MemorySegment text = arena.allocateFrom(name);
            int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
            // SAFETY: the name lives in the arena until after the calls.
            int made = (int) MEMFD_CREATE.invokeExact(capture, text, flags | MFD_EXEC);
            if (made < 0 && Libc.errno(capture) == Errno.EINVAL) {
                made = (int) MEMFD_CREATE.invokeExact(capture, text, flags);
            }
            return Libc.check(made, capture, "memfd_create", name);
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }

    private void fill(Path program) {
        try (FileChannel from = FileChannel.open(program, StandardOpenOption.READ);
                FileChannel to = FileChannel.open(path(), StandardOpenOption.WRITE)) {
            long size = from.size();
            for (long done = 0; done < size; ) {
                done += from.transferTo(done, size - done, to);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot copy " + program, e);
        }
    }

    private void seal() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment capture = Libc.errnoCapture(arena);
            // SAFETY: no memory is passed; the descriptor is open.
            Libc.check(
                    (int) FCNTL.invokeExact(capture, descriptor, F_ADD_SEALS, ALL_SEALS),
                    capture,
                    "fcntl",
                    "F_ADD_SEALS");
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }
}
