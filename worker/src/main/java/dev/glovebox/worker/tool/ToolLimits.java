package dev.glovebox.worker.tool;

import java.time.Duration;

/// How far one call may go.
///
/// @param defaultTimeout time of a command whose caller names none
/// @param longestTimeout time of a command at most, whatever its caller names
/// @param maxFileBytes largest file that is read or edited as a whole
/// @param outputBytes of what `bash` and `grep` print that go into the result, 1 KiB to 16 MiB
public record ToolLimits(
        Duration defaultTimeout, Duration longestTimeout, int maxFileBytes, int outputBytes) {
    /// Least and most output that can be asked for.
    public static final int LEAST_OUTPUT = 1024;

    public static final int MOST_OUTPUT = 16 << 20;

    /// 2 minutes, 10 minutes, 256 KiB, 100 KiB.
    public static final ToolLimits DEFAULT =
            new ToolLimits(Duration.ofMinutes(2), Duration.ofMinutes(10), 256 * 1024, 100 * 1024);

    /// @throws IllegalArgumentException if a limit is not positive or out of its range, or the
    ///   default timeout beyond the longest
    public ToolLimits {
        if (!defaultTimeout.isPositive() || longestTimeout.compareTo(defaultTimeout) < 0) {
            throw new IllegalArgumentException(
                    "timeouts of calls: " + defaultTimeout + " and " + longestTimeout);
        }
        if (maxFileBytes <= 0) {
            throw new IllegalArgumentException("max file bytes must be positive: " + maxFileBytes);
        }
        if (outputBytes < LEAST_OUTPUT || outputBytes > MOST_OUTPUT) {
            throw new IllegalArgumentException("must be between 1k and 16m: " + outputBytes);
        }
    }

    /// The same with another length of output.
    ///
    /// @throws IllegalArgumentException if that is out of its range
    public ToolLimits withOutputBytes(long most) {
        return new ToolLimits(
                defaultTimeout,
                longestTimeout,
                maxFileBytes,
                Math.clamp(most, 0, Integer.MAX_VALUE));
    }
}
