package dev.glovebox.sandbox.root;

import java.nio.file.Path;
import java.util.Optional;

/// What the root directory of one sandbox is made of.
///
/// @param host whether the programs of this host's `/usr` are its lowest layer
/// @param layers over that, or all there is
/// @param writable where what is written goes; empty = nothing can be
public record RootPlan(boolean host, RootLayers layers, Optional<Writable> writable) {
    /// Where what is written to the root goes.
    ///
    /// @param kept a directory on disk that stays, with ids of the sandbox as owners; empty =
    ///   memory of the sandbox, gone with it
    /// @param bytes most of it, if it is memory
    public record Writable(Optional<Path> kept, long bytes) {}

    /// The read-only programs of this host and nothing else, which takes fewer mounts.
    public boolean plain() {
        return host && layers.topFirst().isEmpty() && writable.isEmpty();
    }
}
