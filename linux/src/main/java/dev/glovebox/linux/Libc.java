package dev.glovebox.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;

/// How this room calls the C library: one place that makes downcall handles and reads the errno
/// each leaves.
///
/// A handle made here takes the errno capture segment as its first argument. A call that can block
/// must not run on a virtual thread: it would hold its carrier (see [KernelThread]).
public final class Libc {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final SymbolLookup SYMBOLS = LINKER.defaultLookup();
    private static final MemoryLayout CAPTURE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO =
            CAPTURE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

    private Libc() {}

    /// A handle for the C function `name`, its first argument being the segment from
    /// [#errnoCapture].
    public static MethodHandle handle(String name, FunctionDescriptor descriptor) {
        MemorySegment symbol =
                SYMBOLS.find(name)
                        .orElseThrow(() -> new LinuxException("dlsym", Errno.ENOSYS, name));
        return LINKER.downcallHandle(symbol, descriptor, Linker.Option.captureCallState("errno"));
    }

    /// Like [#handle], for a variadic C function whose first `fixed` arguments are not variadic.
    public static MethodHandle variadic(String name, int fixed, FunctionDescriptor descriptor) {
        MemorySegment symbol =
                SYMBOLS.find(name)
                        .orElseThrow(() -> new LinuxException("dlsym", Errno.ENOSYS, name));
        return LINKER.downcallHandle(
                symbol,
                descriptor,
                Linker.Option.captureCallState("errno"),
                Linker.Option.firstVariadicArg(fixed));
    }

    /// Room for the errno of one call.
    public static MemorySegment errnoCapture(Arena arena) {
        return arena.allocate(CAPTURE);
    }

    /// The errno that the last call with this segment left.
    public static int errno(MemorySegment capture) {
        return (int) ERRNO.get(capture, 0L);
    }

    /// The answer of a call, if it is not negative.
    ///
    /// @throws LinuxException with the errno that the call left
    public static int check(int answer, MemorySegment capture, String call, Object subject) {
        if (answer < 0) {
            throw new LinuxException(call, errno(capture), subject.toString());
        }
        return answer;
    }

    /// What a method handle threw, as something that may leave a method without `throws`.
    public static RuntimeException rethrown(Throwable thrown) {
        return switch (thrown) {
            case RuntimeException e -> e;
            case Error e -> throw e;
            default -> new IllegalStateException("downcall failed", thrown);
        };
    }

    /// `syscall(2)` number and up to five long arguments, for calls the C library has no wrapper
    /// for.
    public static final MethodHandle SYSCALL =
            variadic(
                    "syscall",
                    1,
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_LONG,
                            ValueLayout.JAVA_LONG,
                            ValueLayout.JAVA_LONG,
                            ValueLayout.JAVA_LONG,
                            ValueLayout.JAVA_LONG,
                            ValueLayout.JAVA_LONG,
                            ValueLayout.JAVA_LONG));

    /// `open(2)` with two arguments.
    public static final MethodHandle OPEN =
            variadic(
                    "open",
                    2,
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));

    /// Room for a set of signals, as large as the C library's.
    public static final long SIGNAL_SET_BYTES = 128;

    /// `sigfillset(3)`.
    public static final MethodHandle SIGFILLSET =
            handle("sigfillset", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS));

    /// `close(2)`.
    public static final MethodHandle CLOSE =
            handle("close", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));

    /// `mount(2)`.
    public static final MethodHandle MOUNT =
            handle(
                    "mount",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT,
                            ValueLayout.ADDRESS,
                            ValueLayout.ADDRESS,
                            ValueLayout.ADDRESS,
                            ValueLayout.JAVA_LONG,
                            ValueLayout.ADDRESS));

    /// `umount2(2)`.
    public static final MethodHandle UMOUNT2 =
            handle(
                    "umount2",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));

    /// `unshare(2)`.
    public static final MethodHandle UNSHARE =
            handle("unshare", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));

    /// `setns(2)`.
    public static final MethodHandle SETNS =
            handle(
                    "setns",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));

    /// `kill(2)`.
    public static final MethodHandle KILL =
            handle(
                    "kill",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));

    /// `waitpid(2)`.
    public static final MethodHandle WAITPID =
            handle(
                    "waitpid",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_INT,
                            ValueLayout.JAVA_INT,
                            ValueLayout.ADDRESS,
                            ValueLayout.JAVA_INT));
}
