package dev.glovebox.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Landlock, the kernel's way for a process to give up rights for itself and its children
/// (`landlock(7)`). Only asked about here; glovebox-init is who uses it.
public final class Landlock {
    private static final long NR_CREATE_RULESET = 444; // Linux 5.13, the same on every architecture
    private static final long GET_VERSION = 1;

    private static final int OFFERED = ask();

    private Landlock() {}

    /// The version of the interface this kernel offers, 1 and up; 0 if it has none or was started
    /// without it.
    public static int offered() {
        return OFFERED;
    }

    private static int ask() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment capture = Libc.errnoCapture(arena);
            // SAFETY: no memory is passed, and with this flag the call only answers a number.
            long version =
                    (long)
                            Libc.SYSCALL.invokeExact(
                                    capture, NR_CREATE_RULESET, 0L, 0L, GET_VERSION, 0L, 0L);
            return version > 0 ? (int) version : 0;
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }
}
