package dev.glovebox.sandbox.pool;

import dev.glovebox.sandbox.Mount;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// The network namespace of one member of a pool, made before it is known what may be reached from
/// it: nothing, until its session says so.
public interface Network extends AutoCloseable {
    /// A path that a runtime can join.
    Path namespace();

    /// What of the host must be seen inside to use it, such as certificates.
    default List<Mount> mounts() {
        return List.of();
    }

    /// Variables by which commands find those.
    default Map<String, String> environment() {
        return Map.of();
    }

    /// Gives the namespace up.
    @Override
    void close();
}
