package dev.glovebox.sandbox.pool;

import dev.glovebox.sandbox.Limits;
import dev.glovebox.sandbox.SandboxException;
import dev.glovebox.sandbox.SandboxException.Band;
import dev.glovebox.sandbox.Template;
import java.time.Duration;

/// What a pool keeps ready.
///
/// @param template of every member
/// @param limits a member starts with; a session can have more memory, and more or less of the rest
/// @param size members to keep ready, 0 to 64; 0 = no pool
/// @param starts members started at once, 1 to 8
/// @param maxAge after which a member that nobody claimed is ended, at least a second
public record PoolConfig(Template template, Limits limits, int size, int starts, Duration maxAge) {
    /// Most members a pool keeps.
    public static final int MOST = 64;

    /// Most members started at once.
    public static final int MOST_STARTS = 8;

    /// 1 s.
    public static final Duration LEAST_AGE = Duration.ofSeconds(1);

    /// 30 min.
    public static final Duration DEFAULT_MAX_AGE = Duration.ofMinutes(30);

    /// @throws SandboxException [Band#CALLER] for a value out of its range
    public PoolConfig {
        if (size < 0 || size > MOST) {
            throw new SandboxException(Band.CALLER, "warm size must be 0 to " + MOST + ": " + size);
        }
        if (starts < 1 || starts > MOST_STARTS) {
            throw new SandboxException(
                    Band.CALLER, "warm starts must be 1 to " + MOST_STARTS + ": " + starts);
        }
        if (maxAge.compareTo(LEAST_AGE) < 0) {
            throw new SandboxException(Band.CALLER, "warm age must be at least 1 s: " + maxAge);
        }
    }

    /// One start at a time, and 30 min.
    public static PoolConfig of(Template template, Limits limits, int size) {
        return new PoolConfig(template, limits, size, 1, DEFAULT_MAX_AGE);
    }
}
