package dev.glovebox.sandbox.image;

import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/// How images are had and where they are kept.
///
/// @param directory of the store; made with mode 0700 if it is not there. Processes may share it
/// @param limits of one image
/// @param authFile credentials for registries in the form of `docker login`'s `config.json`, mode
///   0600, empty = none
/// @param caFile certificates in PEM of authorities that vouch for registries besides those that
///   this Java believes, empty = none
/// @param plainRegistries hosts, with port, as in a reference, that are spoken to without TLS;
///   those on the loopback of this host always are
public record ImagesConfig(
        Path directory,
        ImageLimits limits,
        Optional<Path> authFile,
        Optional<Path> caFile,
        Set<String> plainRegistries) {
    public ImagesConfig {
        plainRegistries = Set.copyOf(plainRegistries);
        if (!directory.isAbsolute()) {
            throw new IllegalArgumentException("store of images must be absolute: " + directory);
        }
    }

    /// Default limits, no credentials, TLS.
    public static ImagesConfig in(Path directory) {
        return new ImagesConfig(
                directory, ImageLimits.DEFAULT, Optional.empty(), Optional.empty(), Set.of());
    }
}
