package dev.glovebox.sandbox.pool;

/// How a pool is doing.
///
/// @param ready members that can be claimed now
/// @param starting members on their way
/// @param claimed given to sessions since the pool was opened
/// @param missed asked for when none was ready
/// @param expired ended because of their age
/// @param failed could not be started, were found dead, or could not be bound
public record PoolStats(
        int ready, int starting, long claimed, long missed, long expired, long failed) {}
