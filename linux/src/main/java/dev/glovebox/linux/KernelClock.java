package dev.glovebox.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/// The kernel's clock, as those who keep it right tell the kernel of it (`adjtimex(2)`).
public final class KernelClock {
    private static final MethodHandle ADJTIMEX =
            Libc.handle(
                    "adjtimex", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS));

    /// `struct timex` is 208 bytes; zeros ask and change nothing.
    private static final long TIMEX_BYTES = 256;

    private static final int TIME_ERROR = 5;

    private KernelClock() {}

    /// Whether somebody keeps it right; empty when the kernel does not let us ask.
    public static Optional<Boolean> synchronised() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment capture = Libc.errnoCapture(arena);
            MemorySegment timex = arena.allocate(TIMEX_BYTES, Long.BYTES);
            // SAFETY: the segment is larger than the structure, zeroed, and outlives the call;
            // with `modes` 0 the call does not block and changes nothing.
            int state = (int) ADJTIMEX.invokeExact(capture, timex);
            return state < 0 ? Optional.empty() : Optional.of(state != TIME_ERROR);
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }
}
