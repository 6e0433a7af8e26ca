package dev.glovebox.sandbox.cpu;

import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What one sandbox has used of the processors lately, and so whether it is heavy: a token bucket
/// of processor time.
///
/// It has a credit, which its use consumes and its allowance fills up again. When the credit is
/// used up it is heavy, and light again when it has all of it back, for which it has to pay off a
/// debt first. So a command of a moment leaves it light, and one that works in bursts stays heavy
/// between them.
final class Use {
    /// Processor time, in seconds.
    static final double CREDIT = 0.2;

    /// The most that it can fall behind, in the same seconds.
    static final double DEBT = 0.3;

    private static final double NANOS = 1e9;

    private @Nullable Duration before;
    private long at;
    private double balance = CREDIT;
    private boolean heavy;

    /// Some time, and the processor time used in it.
    ///
    /// @param used in nanoseconds
    /// @param length in nanoseconds
    record Window(long used, long length) {
        /// Processors' worth of time.
        double processors() {
            return (double) used / length;
        }
    }

    /// Ends a window and begins the next.
    ///
    /// @param total processor time since the sandbox was made
    /// @param now by [System#nanoTime]
    /// @return what it was; empty if there was none before
    Optional<Window> window(Duration total, long now) {
        Duration last = before;
        long length = now - at;
        before = total;
        at = now;
        return last == null || length <= 0
                ? Optional.empty()
                : Optional.of(new Window(total.minus(last).toNanos(), length));
    }

    /// Begins anew, without a window: it has stood still.
    void forget() {
        before = null;
    }

    /// Settles the account for a window.
    ///
    /// @param allowance processors' worth of time that it may use and stay light
    void settle(Window window, double allowance) {
        balance += (allowance * window.length() - window.used()) / NANOS;
        balance = Math.clamp(balance, -DEBT, CREDIT);
        heavy = heavy ? balance < CREDIT : balance <= 0;
    }

    boolean heavy() {
        return heavy;
    }

    /// Whether it is as if it had never used anything.
    boolean rested() {
        return balance >= CREDIT;
    }
}
