package dev.glovebox.linux;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/// Removes trees that an agent may have written in.
public final class Trees {
    /// Longest a removal may take.
    public static final Duration DEADLINE = Duration.ofMinutes(10);

    private Trees() {}

    /// Removes a file or a directory with all that is in it; nothing there is fine.
    ///
    /// By `rm(1)`, which works relative to open directories, so neither a link nor a path longer
    /// than `PATH_MAX`, both of which an agent can make, leads it astray. Stays on one file system.
    ///
    /// @throws UncheckedIOException when something is left, or [#DEADLINE] has passed
    public static void remove(Path tree) {
        try {
            Process rm =
                    new ProcessBuilder("rm", "-rf", "--one-file-system", "--", tree.toString())
                            .redirectInput(new File("/dev/null"))
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .redirectError(ProcessBuilder.Redirect.DISCARD)
                            .start();
            await(rm, tree);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot remove " + tree, e);
        }
    }

    private static void await(Process rm, Path tree) throws IOException {
        try {
            if (!rm.waitFor(DEADLINE.toSeconds(), TimeUnit.SECONDS)) {
                throw new IOException("took longer than " + DEADLINE.toSeconds() + " s");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } finally {
            rm.destroyForcibly();
        }
        if (rm.exitValue() != 0) {
            throw new IOException("something of " + tree + " is left");
        }
    }
}
