package dev.glovebox.worker.operator;

import java.time.Duration;

/// What operators may cost a worker.
///
/// @param connections open at once, those of running commands aside; one more is told so and hung
///   up on
/// @param requestBytes most bytes of a request
/// @param requestTime until the whole request must be there, and again for the answer to be taken
/// @param processes run by operators in one sandbox at once, of the 64 it has room for
/// @param hangUpTime that a process has between `SIGHUP` and `SIGKILL` when its operator has gone
/// @param followTime longest that a question for the next call is held
public record OperatorLimits(
        int connections,
        int requestBytes,
        Duration requestTime,
        int processes,
        Duration hangUpTime,
        Duration followTime) {
    /// 64 connections, 256 KiB, 5 s, 8 processes, 2 s, 20 s.
    public static final OperatorLimits DEFAULT =
            new OperatorLimits(
                    64,
                    256 * 1024,
                    Duration.ofSeconds(5),
                    8,
                    Duration.ofSeconds(2),
                    Duration.ofSeconds(20));
}
