package dev.glovebox.sandbox.root;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// The layers of an image on disk, as a root directory is made of them.
///
/// Owners on disk are ids of the sandbox, 0 to 65,535. Nothing of a layer is trusted but that: its
/// files are an attacker's, and a mount never goes through a link that one of them has planted.
///
/// @param topFirst directories, absolute, the topmost layer first; up to 128, none for the host's
///   programs alone. They are never written to while a sandbox that was made of them lives
/// @param environment of the image, under what a template and a sandbox say
public record RootLayers(List<Path> topFirst, Map<String, String> environment) {
    /// As many as fit below the mount that hides planted links; `overlayfs` itself takes 500.
    public static final int MOST = 128;

    /// None.
    public static final RootLayers NONE = new RootLayers(List.of(), Map.of());

    /// @throws IllegalArgumentException for a number out of its range or a relative path
    public RootLayers {
        topFirst = List.copyOf(topFirst);
        environment = Map.copyOf(environment);
        if (topFirst.size() > MOST) {
            throw new IllegalArgumentException(
                    "a root has at most " + MOST + " layers, not " + topFirst.size());
        }
        for (Path layer : topFirst) {
            if (!layer.isAbsolute()) {
                throw new IllegalArgumentException("layer must be absolute: " + layer);
            }
        }
    }
}
