package dev.glovebox.sandbox.guest;

import java.time.Duration;

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
