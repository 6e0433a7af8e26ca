package dev.glovebox.cli.operator;

import dev.glovebox.cli.config.StateDirectories;
import dev.glovebox.worker.operator.OperatorClient;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// Which worker is meant, by its data directory or its socket.
final class WorkerChoice {
    @Option(
            names = "--data",
            paramLabel = "DIR",
            defaultValue = StateDirectories.DEFAULT,
            description = "Data directory of the worker (default: ${DEFAULT-VALUE}).")
    private Path data;

    @Option(names = "--socket", paramLabel = "PATH", description = "Its socket, instead of --data.")
    private @Nullable Path socket;

    OperatorClient client() {
        return new OperatorClient(socket == null ? new StateDirectories(data).operator() : socket);
    }
}
