package dev.glovebox.cli.config;

import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// How a command speaks to registries of images.
public final class RegistryOptions {
    @Option(
            names = "--auth-file",
            paramLabel = "FILE",
            description = "Credentials for registries, as `docker login` writes them, mode 0600.")
    private @Nullable Path authFile;

    @Option(
            names = "--registry-ca",
            paramLabel = "FILE",
            description =
                    "Certificates (PEM) of authorities that vouch for registries, besides the public ones.")
    private @Nullable Path caFile;

    @Option(
            names = "--plain-registry",
            paramLabel = "HOST",
            description = "A registry that is spoken to without TLS, such as 10.0.0.5:5000.")
    private @Nullable List<String> plain;

    /// What was asked for.
    public RegistrySettings settings() {
        return new RegistrySettings(
                Optional.ofNullable(authFile),
                Optional.ofNullable(caFile),
                plain == null ? new HashSet<>() : new HashSet<>(plain));
    }
}
