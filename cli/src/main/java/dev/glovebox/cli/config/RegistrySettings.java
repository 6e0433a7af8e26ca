package dev.glovebox.cli.config;

import dev.glovebox.sandbox.image.ImageLimits;
import dev.glovebox.sandbox.image.ImagesConfig;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/// How registries of images are spoken to.
///
/// @param authFile credentials, as `docker login` writes them, empty = none
/// @param caFile certificates of authorities of registries, in PEM, besides those that Java
///   believes, empty = none
/// @param plainRegistries hosts, with port, that are spoken to without TLS
public record RegistrySettings(
        Optional<Path> authFile, Optional<Path> caFile, Set<String> plainRegistries) {
    /// No credentials, TLS.
    public static final RegistrySettings DEFAULT =
            new RegistrySettings(Optional.empty(), Optional.empty(), Set.of());

    /// The keys it reads.
    static final Set<String> KEYS =
            Set.of("registries.auth-file", "registries.ca-file", "registries.plain[]");

    public RegistrySettings {
        plainRegistries = Set.copyOf(plainRegistries);
    }

    static RegistrySettings read(Settings settings) {
        return new RegistrySettings(
                settings.get("registries.auth-file", settings.directory()::resolve),
                settings.get("registries.ca-file", settings.directory()::resolve),
                Set.copyOf(settings.words("registries.plain")));
    }

    /// With images kept in a directory.
    public ImagesConfig at(Path directory) {
        return new ImagesConfig(directory, ImageLimits.DEFAULT, authFile, caFile, plainRegistries);
    }
}
