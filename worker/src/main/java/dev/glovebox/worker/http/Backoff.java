package dev.glovebox.worker.http;

import java.time.Duration;
import java.util.random.RandomGenerator;

/// Growing pauses between attempts: `first * 2^n`, at most `cap`, less up to a quarter at random so
/// that a fleet does not come back in lockstep.
///
/// @param first the pause after the first failure
/// @param cap the longest pause
public record Backoff(Duration first, Duration cap) {
    /// @throws IllegalArgumentException if not `0 < first <= cap`
    public Backoff {
        if (first.isNegative() || first.isZero() || cap.compareTo(first) < 0) {
            throw new IllegalArgumentException("backoff from " + first + " to " + cap);
        }
    }

    /// The pause after failure number `failures`, counted from 0.
    public Duration pause(int failures, RandomGenerator random) {
        double full =
                Math.min(
                        (double) first.toMillis() * Math.pow(2, Math.min(failures, 40)),
                        (double) cap.toMillis());
        return Duration.ofMillis(Math.round(full * (1 - random.nextDouble() * 0.25)));
    }
}
