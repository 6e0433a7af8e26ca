package dev.glovebox.worker;

import dev.glovebox.sandbox.pool.PoolConfig;
import java.time.Duration;

/// How many sandboxes a worker keeps ready for sessions to come.
///
/// @param size how many; 0 = none, each session then starts its own
/// @param starts how many are started at once until there are as many
/// @param maxAge after which one that no session took is replaced
public record Warm(int size, int starts, Duration maxAge) {
    /// None.
    public static final Warm NONE = new Warm(0, PoolConfig.DEFAULT_MAX_AGE);

    /// Two, one after another, 30 min: they cost about 1 MiB each, and most sessions come one at a
    /// time.
    public static final Warm DEFAULT = new Warm(2, PoolConfig.DEFAULT_MAX_AGE);

    /// Started one after another.
    public Warm(int size, Duration maxAge) {
        this(size, 1, maxAge);
    }
}
