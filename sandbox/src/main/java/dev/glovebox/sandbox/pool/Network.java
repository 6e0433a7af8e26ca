package dev.glovebox.sandbox.pool;

import java.nio.file.Path;

/// The network namespace of one member of a pool, made before it is known what may be reached from
/// it: nothing, until its session says so.
public interface Network extends AutoCloseable {
    /// A path that a runtime can join.
    Path namespace();

    /// Gives the namespace up.
    @Override
    void close();
}
