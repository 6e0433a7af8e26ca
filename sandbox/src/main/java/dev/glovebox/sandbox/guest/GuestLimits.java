package dev.glovebox.sandbox.guest;

import java.time.Duration;

/// What a [Guest] may cost.
///
/// @param callTimeout longest a call waits for the answer of the inside, the greeting included
/// @param streamBytes most unread bytes kept of each output stream; beyond it the process waits
public record GuestLimits(Duration callTimeout, int streamBytes) {
    /// 30 s, 64 KiB.
    public static final GuestLimits DEFAULT = new GuestLimits(Duration.ofSeconds(30), 64 * 1024);

    /// @throws IllegalArgumentException if the timeout is not positive or the buffer not within 4
    ///   KiB and 16 MiB
    public GuestLimits {
        if (callTimeout.isNegative() || callTimeout.isZero()) {
            throw new IllegalArgumentException("call timeout must be positive: " + callTimeout);
        }
        if (streamBytes < 4096 || streamBytes > 16 << 20) {
            throw new IllegalArgumentException("stream bytes out of range: " + streamBytes);
        }
    }
}
