package dev.glovebox.linux;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// `openat2(2)`, Linux 5.6: opens a path, with a say in how it is resolved.
public final class Openat2 {
    /// The path leads to something below the descriptor it starts from, over no symbolic link and
    /// on one mount. A link on the way is `ELOOP`, a way out `EXDEV`.
    public static final long CONFINED =
            0x01 | 0x02 | 0x04 | 0x08; // NO_XDEV NO_MAGICLINKS NO_SYMLINKS BENEATH

    /// The path is resolved as by `open(2)`.
    public static final long ANYWHERE = 0;

    /// One of the few flags that differ between architectures.
    public static final int O_DIRECTORY =
            System.getProperty("os.arch", "").equals("aarch64") ? 0x4000 : 0x1_0000;

    /// As [#O_DIRECTORY].
    public static final int O_NOFOLLOW =
            System.getProperty("os.arch", "").equals("aarch64") ? 0x8000 : 0x2_0000;

    /// Not for programs that are started.
    public static final int O_CLOEXEC = 0x8_0000;

    /// Opens a name, not the thing.
    public static final int O_PATH = 0x20_0000;

    private static final long NUMBER = 437; // the same on every architecture
    private static final long HOW_SIZE = 24;

    private Openat2() {}

    /// `struct open_how`: three u64, flags, mode and resolve.
    public static MemorySegment how(Arena arena, int flags, int mode, long resolve) {
        MemorySegment how = arena.allocate(HOW_SIZE, 8);
        how.set(ValueLayout.JAVA_LONG, 0, flags);
        how.set(ValueLayout.JAVA_LONG, 8, mode);
        how.set(ValueLayout.JAVA_LONG, 16, resolve);
        return how;
    }

    /// One call, and nothing besides.
    ///
    /// @param capture takes the errno
    /// @param at descriptor of the directory where a relative path starts
    /// @param how from [#how]
    /// @return a descriptor, negative for a refusal
    public static int open(MemorySegment capture, int at, MemorySegment path, MemorySegment how)
            throws Throwable {
        // SAFETY: the segments are the caller's, who waits for the call.
        return (int)
                (long)
                        Libc.SYSCALL.invokeExact(
                                capture,
                                NUMBER,
                                (long) at,
                                path.address(),
                                how.address(),
                                HOW_SIZE,
                                0L);
    }
}
