package dev.glovebox.cli;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;

/// Removes trees that an agent may have written in.
final class Trees {
    private Trees() {}

    /// Removes a tree with rm(1), which follows no link and knows no longest path.
    static void remove(Path tree) {
        try {
            new ProcessBuilder("rm", "-rf", "--one-file-system", "--", tree.toString())
                    .redirectInput(new File("/dev/null"))
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot remove " + tree, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
