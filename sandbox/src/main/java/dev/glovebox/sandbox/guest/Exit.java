package dev.glovebox.sandbox.guest;

import java.time.Duration;

/// How a process ended.
///
/// @param code its exit code from 0 to 255, or -1 if a signal ended it
/// @param signal the signal that ended it, or 0
/// @param usage what it has used
public record Exit(int code, int signal, Usage usage) {
    /// Whether it ended by itself and with code 0.
    public boolean success() {
        return code == 0;
    }

    /// What a process and the children it waited for have used, as `getrusage(2)` counts it.
    ///
    /// @param user time in user mode
    /// @param system time in the kernel
    /// @param maxResidentBytes largest resident set of any one of them
    /// @param minorFaults page faults served without a disk
    /// @param majorFaults page faults that needed one
    public record Usage(
            Duration user,
            Duration system,
            long maxResidentBytes,
            long minorFaults,
            long majorFaults) {}
}
