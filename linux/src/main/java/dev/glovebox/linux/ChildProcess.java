package dev.glovebox.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;

/// A child process born where the calling *thread* is: in its mount namespace, its control groups.
///
/// Why not `ProcessBuilder`: it makes a thread to wait for the child, from the calling thread, and
/// that thread inherits namespaces and control groups too and lives on for a minute. Here
/// `posix_spawn(3)` is called and nothing else is made.
///
/// The child has no descriptor of this process but 0 (`/dev/null`), 1 and 2 (one pipe, of which the
/// last words can be read). Default signals, empty mask.
public final class ChildProcess implements AutoCloseable {
    private static final int SIGKILL = 9;
    private static final int WNOHANG = 1;
    private static final int O_NONBLOCK = 0x800;
    private static final int O_CLOEXEC = 0x8_0000;
    private static final short SPAWN_SETSIGDEF = 4;
    private static final short SPAWN_SETSIGMASK = 8;
    private static final long STRUCTURE_BYTES = 512; // glibc: actions 80, attributes 336
    private static final long POLL_NANOS = 200_000;
    private static final int OUTPUT_BYTES = 4096;

    private static final MethodHandle SPAWN =
            Libc.handle(
                    "posix_spawn",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT,
                            ValueLayout.ADDRESS,
                            ValueLayout.ADDRESS,
                            ValueLayout.ADDRESS,
                            ValueLayout.ADDRESS,
                            ValueLayout.ADDRESS,
                            ValueLayout.ADDRESS));
    private static final MethodHandle ACTIONS_INIT = pointerCall("posix_spawn_file_actions_init");
    private static final MethodHandle ACTIONS_DESTROY =
            pointerCall("posix_spawn_file_actions_destroy");
    private static final MethodHandle ATTRIBUTES_INIT = pointerCall("posix_spawnattr_init");
    private static final MethodHandle SET_DEFAULT = pointersCall("posix_spawnattr_setsigdefault");
    private static final MethodHandle SET_MASK = pointersCall("posix_spawnattr_setsigmask");
    private static final MethodHandle SET_FLAGS =
            Libc.handle(
                    "posix_spawnattr_setflags",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_SHORT));
    private static final MethodHandle ADD_DUP =
            Libc.handle(
                    "posix_spawn_file_actions_adddup2",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT,
                            ValueLayout.ADDRESS,
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_INT));
    private static final MethodHandle ADD_OPEN =
            Libc.handle(
                    "posix_spawn_file_actions_addopen",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT,
                            ValueLayout.ADDRESS,
                            ValueLayout.JAVA_INT,
                            ValueLayout.ADDRESS,
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_INT));
    private static final MethodHandle ADD_CLOSE_FROM =
            Libc.handle(
                    "posix_spawn_file_actions_addclosefrom_np", // glibc 2.34
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
    private static final MethodHandle PIPE =
            Libc.handle(
                    "pipe2",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
    private static final MethodHandle READ =
            Libc.handle(
                    "read",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_LONG,
                            ValueLayout.JAVA_INT,
                            ValueLayout.ADDRESS,
                            ValueLayout.JAVA_LONG));

    private final int pid;
    private final int output;
    private OptionalInt exit = OptionalInt.empty();
    private boolean closed;

    private ChildProcess(int pid, int output) {
        this.pid = pid;
        this.output = output;
    }

    /// Starts a program.
    ///
    /// @param words its absolute path and its arguments
    /// @param environment all of it
    /// @throws LinuxException if it cannot be started
    public static ChildProcess start(List<String> words, Map<String, String> environment) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment capture = Libc.errnoCapture(arena);
            MemorySegment pipe = arena.allocate(8, 4);
            // SAFETY: all segments of this method live in the arena until after the calls.
            check((int) PIPE.invokeExact(capture, pipe, O_CLOEXEC | O_NONBLOCK), capture, "pipe2");
            int readEnd = pipe.get(ValueLayout.JAVA_INT, 0);
            int writeEnd = pipe.get(ValueLayout.JAVA_INT, 4);
            try {
                return new ChildProcess(spawn(arena, words, environment, writeEnd), readEnd);
            } catch (LinuxException e) {
                close(readEnd);
                throw e;
            } finally {
                close(writeEnd);
            }
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }

    /// Waits for the end of the process.
    ///
    /// @return its exit code, 128 and the signal if it was killed; empty if it still runs after the
    ///   timeout
    public synchronized OptionalInt waitFor(Duration timeout) {
        long end = System.nanoTime() + timeout.toNanos();
        while (exit.isEmpty() && !reaped(WNOHANG) && System.nanoTime() < end) {
            LockSupport.parkNanos(POLL_NANOS);
        }
        return exit;
    }

    /// What it has last written, at most 4 KiB, without waiting.
    public synchronized String output() {
        if (closed) {
            return "";
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(OUTPUT_BYTES);
            // SAFETY: the buffer has the length passed; the descriptor is open.
            long count =
                    (long)
                            READ.invokeExact(
                                    Libc.errnoCapture(arena), output, buffer, (long) OUTPUT_BYTES);
            return count <= 0
                    ? ""
                    : new String(
                            buffer.asSlice(0, count).toArray(ValueLayout.JAVA_BYTE),
                            StandardCharsets.UTF_8);
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }

    /// Kills it if it still runs, waits for its end, and closes its output.
    @Override
    public synchronized void close() {
        if (exit.isEmpty()) {
            try (Arena arena = Arena.ofConfined()) {
                // SAFETY: not yet waited for, so the pid is still this child's.
                int _ = (int) Libc.KILL.invokeExact(Libc.errnoCapture(arena), pid, SIGKILL);
            } catch (Throwable e) {
                throw Libc.rethrown(e);
            }
            KernelThread.call("reap-" + pid, () -> reaped(0));
        }
        if (!closed) {
            closed = true;
            close(output);
        }
    }

    private boolean reaped(int options) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment status = arena.allocate(4, 4);
            // SAFETY: the status lives in the arena until after the call.
            int result =
                    (int) Libc.WAITPID.invokeExact(Libc.errnoCapture(arena), pid, status, options);
            if (result == pid) {
                int word = status.get(ValueLayout.JAVA_INT, 0);
                int signal = word & 0x7f;
                exit = OptionalInt.of(signal == 0 ? (word >> 8) & 0xff : 128 + signal);
            }
            return exit.isPresent();
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }

    private static int spawn(
            Arena arena, List<String> words, Map<String, String> environment, int writeEnd)
            throws Throwable {
        MemorySegment capture = Libc.errnoCapture(arena);
        MemorySegment actions = arena.allocate(STRUCTURE_BYTES, 16);
        MemorySegment attributes = arena.allocate(STRUCTURE_BYTES, 16);
        MemorySegment signals = arena.allocate(Libc.SIGNAL_SET_BYTES, 16);
        MemorySegment none = arena.allocate(Libc.SIGNAL_SET_BYTES, 16);
        MemorySegment nothing = arena.allocateFrom("/dev/null");
        checkResult((int) ACTIONS_INIT.invokeExact(capture, actions), "file_actions_init");
        try {
            checkResult((int) ADD_OPEN.invokeExact(capture, actions, 0, nothing, 0, 0), "addopen");
            checkResult((int) ADD_DUP.invokeExact(capture, actions, writeEnd, 1), "adddup2");
            checkResult((int) ADD_DUP.invokeExact(capture, actions, writeEnd, 2), "adddup2");
            checkResult((int) ADD_CLOSE_FROM.invokeExact(capture, actions, 3), "addclosefrom");
            checkResult((int) ATTRIBUTES_INIT.invokeExact(capture, attributes), "attr_init");
            checkResult((int) Libc.SIGFILLSET.invokeExact(capture, signals), "sigfillset");
            checkResult((int) SET_DEFAULT.invokeExact(capture, attributes, signals), "sigdefault");
            checkResult((int) SET_MASK.invokeExact(capture, attributes, none), "sigmask");
            short flags = SPAWN_SETSIGDEF | SPAWN_SETSIGMASK;
            checkResult((int) SET_FLAGS.invokeExact(capture, attributes, flags), "setflags");
            MemorySegment pid = arena.allocate(4, 4);
            MemorySegment program = arena.allocateFrom(words.getFirst());
            MemorySegment argv = strings(arena, words);
            MemorySegment envp = strings(arena, variables(environment));
            int error =
                    (int) SPAWN.invokeExact(capture, pid, program, actions, attributes, argv, envp);
            if (error != 0) {
                throw new LinuxException("posix_spawn", error, words.getFirst());
            }
            return pid.get(ValueLayout.JAVA_INT, 0);
        } finally {
            int _ = (int) ACTIONS_DESTROY.invokeExact(capture, actions);
        }
    }

    private static List<String> variables(Map<String, String> environment) {
        return new TreeMap<>(environment)
                .entrySet().stream().map(e -> e.getKey() + "=" + e.getValue()).toList();
    }

    private static MemorySegment strings(Arena arena, List<String> words) {
        MemorySegment array = arena.allocate(ValueLayout.ADDRESS, words.size() + 1L);
        for (int i = 0; i < words.size(); i++) {
            array.setAtIndex(ValueLayout.ADDRESS, i, arena.allocateFrom(words.get(i)));
        }
        return array;
    }

    private static MethodHandle pointerCall(String name) {
        return Libc.handle(name, FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS));
    }

    private static MethodHandle pointersCall(String name) {
        return Libc.handle(
                name,
                FunctionDescriptor.of(
                        ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS));
    }

    private static void close(int descriptor) {
        try (Arena arena = Arena.ofConfined()) {
            // SAFETY: the descriptor is ours and is not used again.
            int _ = (int) Libc.CLOSE.invokeExact(Libc.errnoCapture(arena), descriptor);
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }

    private static void check(int result, MemorySegment capture, String call) {
        Libc.check(result, capture, call, "child process");
    }

    private static void checkResult(int error, String call) {
        if (error != 0) {
            throw new LinuxException("posix_spawn " + call, error, "child process");
        }
    }
}
