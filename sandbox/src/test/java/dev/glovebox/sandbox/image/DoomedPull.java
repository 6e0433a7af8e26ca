package dev.glovebox.sandbox.image;

import dev.glovebox.sandbox.Root;
import java.nio.file.Path;

/// A process that pulls one image, to be killed by a test while it does.
public final class DoomedPull {
    private DoomedPull() {}

    /// Pulls.
    ///
    /// @param arguments the store, and the reference
    public static void main(String[] arguments) {
        Images images = Images.open(ImagesConfig.in(Path.of(arguments[0])));
        images.layers(new Root.Image(arguments[1]));
        System.exit(0);
    }
}
