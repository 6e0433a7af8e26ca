package dev.glovebox.cli.audit;

import dev.glovebox.cli.config.StateDirectories;
import dev.glovebox.egress.audit.AuditException;
import dev.glovebox.egress.audit.AuditTrail;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// Which records are meant, by the worker's data directory or their own.
public final class TrailChoice {
    @Option(
            names = "--data",
            paramLabel = "DIR",
            defaultValue = StateDirectories.DEFAULT,
            description = "Data directory of the worker (default: ${DEFAULT-VALUE}).")
    private Path data;

    @Option(
            names = {"--directory", "--audit"},
            paramLabel = "DIR",
            description = "Where the records are, instead of DATA/audit.")
    private @Nullable Path directory;

    /// The records.
    ///
    /// @throws AuditException if there are none
    public AuditTrail trail() {
        Path chosen = directory == null ? new StateDirectories(data).audit() : directory;
        if (!Files.isDirectory(chosen)) {
            throw new AuditException("there are no audit records in " + chosen);
        }
        return new AuditTrail(chosen);
    }
}
