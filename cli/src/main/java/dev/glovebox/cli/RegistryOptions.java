package dev.glovebox.cli;

import dev.glovebox.cli.config.RegistrySettings;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// How a command speaks to registries of images.
final class RegistryOptions {
    @Option(
            names = "--auth-file",
            paramLabel = "FILE",
            description = "Credentials for registries, as `docker login` writes them, mode 0600.")
    private @Nullable Path authFile;

    @Option(
            names = "--plain-registry",
            paramLabel = "HOST",
            description = "A registry that is spoken to without TLS, such as 10.0.0.5:5000.")
    private @Nullable List<String> plain;

    RegistrySettings settings() {
        return new RegistrySettings(
                Optional.ofNullable(authFile),
                plain == null ? new HashSet<>() : new HashSet<>(plain));
    }
}
