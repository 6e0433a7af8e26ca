package dev.glovebox.worker.tool;

import java.time.Duration;

/// How far one call may go.
///
/// @param defaultTimeout time of a command whose caller names none
/// @param longestTimeout time of a command at most, whatever its caller names
/// @param maxFileBytes largest file that is read or edited as a whole
public record ToolLimits(Duration defaultTimeout, Duration longestTimeout, int maxFileBytes) {
    /// 2 minutes, 10 minutes, 256 KiB.
    public static final ToolLimits DEFAULT =
            new ToolLimits(Duration.ofMinutes(2), Duration.ofMinutes(10), 256 * 1024);

    /// @throws IllegalArgumentException if a limit is not positive, or the default beyond the
    ///   longest
    public ToolLimits {
        if (!defaultTimeout.isPositive() || longestTimeout.compareTo(defaultTimeout) < 0) {
            throw new IllegalArgumentException(
                    "timeouts of calls: " + defaultTimeout + " and " + longestTimeout);
        }
        if (maxFileBytes <= 0) {
            throw new IllegalArgumentException("max file bytes must be positive: " + maxFileBytes);
        }
    }
}
