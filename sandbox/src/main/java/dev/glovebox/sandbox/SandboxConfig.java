package dev.glovebox.sandbox;

import dev.glovebox.sandbox.SandboxException.Band;
import dev.glovebox.sandbox.image.ImagesConfig;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/// How a worker makes sandboxes.
///
/// @param stateDirectory of this worker process alone; made with mode 0700 if it is not there. Its
///   path is at most 80 bytes, since sockets lie in it
/// @param runtime the one to use, empty = the first that passes the start-up probe
/// @param startTimeout longest a sandbox may take until it has answered
/// @param images where the images of templates are had from and kept
public record SandboxConfig(
        Path stateDirectory,
        Optional<RuntimeName> runtime,
        Duration startTimeout,
        ImagesConfig images) {
    /// 30 s: under heavy load a start takes hundreds of milliseconds.
    public static final Duration DEFAULT_START_TIMEOUT = Duration.ofSeconds(30);

    /// @throws SandboxException [Band#CALLER] for a relative or too long path, or a timeout that is
    ///   not positive
    public SandboxConfig {
        if (!stateDirectory.isAbsolute() || stateDirectory.toString().length() > 80) {
            throw new SandboxException(
                    Band.CALLER,
                    "state directory must be absolute and at most 80 bytes: " + stateDirectory);
        }
        if (startTimeout.isNegative() || startTimeout.isZero()) {
            throw new SandboxException(
                    Band.CALLER, "start timeout must be positive: " + startTimeout);
        }
    }

    /// With images in `images`, beside the state directory: they outlive a worker's state.
    public SandboxConfig(
            Path stateDirectory, Optional<RuntimeName> runtime, Duration startTimeout) {
        this(
                stateDirectory,
                runtime,
                startTimeout,
                ImagesConfig.in(stateDirectory.toAbsolutePath().resolveSibling("images")));
    }

    /// The first runtime that works, with the default timeout.
    public static SandboxConfig in(Path stateDirectory) {
        return new SandboxConfig(stateDirectory, Optional.empty(), DEFAULT_START_TIMEOUT);
    }
}
