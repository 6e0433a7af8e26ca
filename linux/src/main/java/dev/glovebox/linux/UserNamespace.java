package dev.glovebox.linux;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// A user namespace with nobody in it, held open by a file descriptor of this process.
///
/// It is what an id-mapped mount takes its shift from ([Mounts#bindMapped]). A JVM cannot
/// `unshare(2)` into a user namespace, since it has many threads, and a user namespace needs a
/// process to be born with it. So `clone(2)` makes a child process that runs nothing but
/// `sleep(3)`; its maps are written, its namespace opened, and it is killed: it lives for a moment,
/// and it ends by itself if this process dies in between.
///
/// The child shares memory and descriptors with this process (`CLONE_VM`, `CLONE_FILES`), as the
/// child of a `vfork(2)` does. A copy of them is what most of a sandbox's start would go into, the
/// more the larger the JVM is and the more sandboxes it has. So that no handler of the JVM's can
/// run in the child, the thread that makes it takes no more signals, and the child inherits that.
/// What the two write to in common is one field of the C library's about the thread, whether a
/// `pthread_cancel(3)` would end it at once, and nobody calls that.
public final class UserNamespace implements AutoCloseable {
    private static final int CLONE_VM = 0x100;
    private static final int CLONE_FILES = 0x400;
    private static final int CLONE_NEWUSER = 0x1000_0000;
    private static final int SIGKILL = 9;
    private static final int SIGCHLD = 17;

    /// Of the thread's own doing, and of use to the JVM: SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV.
    private static final List<Integer> FAULTS = List.of(4, 5, 7, 8, 11);

    private static final int SIG_BLOCK = 0;
    private static final int O_RDONLY_CLOEXEC = 0x8_0000;
    private static final long CHILD_SECONDS = 5;
    private static final long CHILD_STACK = 65_536;

    private static final MethodHandle CLONE =
            Libc.handle(
                    "clone",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT,
                            ValueLayout.ADDRESS,
                            ValueLayout.ADDRESS,
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_LONG));
    private static final MethodHandle DELETE_FROM_SET =
            Libc.handle(
                    "sigdelset",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
    private static final MethodHandle MASK =
            Libc.handle(
                    "pthread_sigmask",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_INT,
                            ValueLayout.ADDRESS,
                            ValueLayout.ADDRESS));
    private static final MemorySegment SLEEP =
            Linker.nativeLinker().defaultLookup().findOrThrow("sleep");

    private final int descriptor;

    private UserNamespace(int descriptor) {
        this.descriptor = descriptor;
    }

    /// Makes a namespace that maps ids 0 to `size - 1` of itself, users and groups alike, to
    /// `first` and up on the host.
    ///
    /// @throws LinuxException when the kernel has no user namespaces or allows no more of them
    ///   (`user.max_user_namespaces`), or this process may not map these ids
    public static UserNamespace create(long first, long size) {
        return create(List.of(new Range(0, first, size)));
    }

    /// Makes a namespace with this map, of users and groups alike.
    ///
    /// @throws LinuxException as [#create(long, long)]
    public static UserNamespace create(List<Range> map) {
        StringBuilder lines = new StringBuilder();
        for (Range range : map) {
            lines.append(range.inside()).append(' ');
            lines.append(range.host()).append(' ').append(range.size()).append('\n');
        }
        return KernelThread.call("userns", () -> createHere(lines.toString()));
    }

    /// Some ids, in a row, and what they are on the host.
    ///
    /// @param inside the first of them in the namespace
    /// @param host the first of them on the host
    /// @param size how many
    public record Range(long inside, long host, long size) {}

    /// Where another process of this host finds the namespace, such as `nsenter(1)`, as long as
    /// this is open.
    public Path path() {
        return Path.of("/proc/" + ProcessHandle.current().pid() + "/fd/" + descriptor);
    }

    /// The descriptor, for this room.
    public int descriptor() {
        return descriptor;
    }

    /// Lets the namespace go; mounts that took their shift from it keep it.
    @Override
    public void close() {
        try (Arena arena = Arena.ofConfined()) {
            // SAFETY: the descriptor is ours and closed once by contract of the owner.
            int _ = (int) Libc.CLOSE.invokeExact(Libc.errnoCapture(arena), descriptor);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private static UserNamespace createHere(String map) {
        try (Arena arena = Arena.ofConfined()) {
            blockSignals(arena);
            int child = cloneSleeper(arena);
            try {
                writeMap(child, "uid_map", map);
                writeMap(child, "gid_map", map);
                return new UserNamespace(open(arena, Path.of("/proc/" + child + "/ns/user")));
            } finally {
                end(arena, child);
            }
        }
    }

    /// For the rest of the calling thread's life, which is short.
    private static void blockSignals(Arena arena) {
        MemorySegment capture = Libc.errnoCapture(arena);
        MemorySegment set = arena.allocate(Libc.SIGNAL_SET_BYTES, 16);
        try {
            // SAFETY: the set has the size of the C library's and lives until after the calls.
            int _ = (int) Libc.SIGFILLSET.invokeExact(capture, set);
            for (int signal : FAULTS) {
                int _ = (int) DELETE_FROM_SET.invokeExact(capture, set, signal);
            }
            int error = (int) MASK.invokeExact(capture, SIG_BLOCK, set, MemorySegment.NULL);
            if (error != 0) {
                throw new LinuxException("pthread_sigmask", error, "user namespace");
            }
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }

    private static int cloneSleeper(Arena arena) {
        MemorySegment stack = arena.allocate(CHILD_STACK, 16);
        MemorySegment top = stack.asSlice(CHILD_STACK - 16);
        MemorySegment capture = Libc.errnoCapture(arena);
        try {
            // SAFETY: the child has a stack of its own, in the arena, which is closed after it has
            // been waited for; it calls one async-signal-safe function of the C library there and
            // never returns to Java, for clone(3) ends it when sleep returns.
            int flags = CLONE_VM | CLONE_FILES | CLONE_NEWUSER | SIGCHLD;
            int child = (int) CLONE.invokeExact(capture, SLEEP, top, flags, CHILD_SECONDS);
            if (child < 0) {
                throw new LinuxException("clone", Libc.errno(capture), "user namespace");
            }
            return child;
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }

    private static void writeMap(int child, String name, String map) {
        Path path = Path.of("/proc/" + child + "/" + name);
        try {
            Files.writeString(path, map);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot map ids in " + path, e);
        }
    }

    private static int open(Arena arena, Path path) {
        MemorySegment capture = Libc.errnoCapture(arena);
        try {
            MemorySegment name = arena.allocateFrom(path.toString());
            // SAFETY: the path lives in the arena until after the call.
            int descriptor = (int) Libc.OPEN.invokeExact(capture, name, O_RDONLY_CLOEXEC);
            if (descriptor < 0) {
                throw new LinuxException("open", Libc.errno(capture), path.toString());
            }
            return descriptor;
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }

    private static void end(Arena arena, int child) {
        MemorySegment capture = Libc.errnoCapture(arena);
        try {
            // SAFETY: the child is ours and not yet waited for, so its pid is not another's.
            int _ = (int) Libc.KILL.invokeExact(capture, child, SIGKILL);
            int _ = (int) Libc.WAITPID.invokeExact(capture, child, MemorySegment.NULL, 0);
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }
}
