package dev.glovebox.sandbox;

import java.time.Duration;
import java.time.Instant;

/// Where a sandbox is in its life. One that is still starting is in nobody's hands, so it has no
/// state.
///
/// ```
/// Ready <-> Paused
///    \        /
///      Ended
/// ```
public sealed interface SandboxState {
    /// It takes calls.
    ///
    /// @param since when it was attested, or last resumed
    record Ready(Instant since) implements SandboxState {}

    /// Every process inside stands still; what they hold, they keep. Calls are refused.
    ///
    /// @param since when all stood
    record Paused(Instant since) implements SandboxState {}

    /// No process is left, or will be in a moment. There is no way back.
    ///
    /// @param at when that was known
    record Ended(Instant at, Reason reason) implements SandboxState {}

    /// Why a sandbox ended.
    sealed interface Reason {
        /// Its owner closed it.
        record Closed() implements Reason {}

        /// The connection to its pid 1 went away, and the kernel had killed processes inside for
        /// want of memory.
        record OutOfMemory() implements Reason {}

        /// It was as long a session's as a sandbox may be ([Limits#time]).
        ///
        /// @param most that time
        record TimeUp(Duration most) implements Reason {}

        /// The connection to its pid 1 went away, or pid 1 broke the protocol.
        ///
        /// @param detail what was seen of it
        record Crashed(String detail) implements Reason {}
    }

    /// One word: `ready`, `paused`, `ended`.
    default String word() {
        return switch (this) {
            case Ready _ -> "ready";
            case Paused _ -> "paused";
            case Ended _ -> "ended";
        };
    }
}
