package dev.glovebox.cli;

import dev.glovebox.cli.config.StateDirectories;
import dev.glovebox.cli.config.WorkerSettings;
import dev.glovebox.protocol.Secret;
import dev.glovebox.worker.WorkerConfig;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `glovebox worker`: serves the queue of one self-hosted environment.
@Command(
        name = "worker",
        description = {
            "Serves the work queue of one self-hosted environment: each session in a sandbox of its own.",
            "",
            "Environment variables:",
            "  ANTHROPIC_ENVIRONMENT_ID         env_..., required",
            "  ANTHROPIC_ENVIRONMENT_KEY_FILE   file with the environment key, or",
            "  ANTHROPIC_ENVIRONMENT_KEY        the key itself",
            "  ANTHROPIC_BASE_URL               default: https://api.anthropic.com",
            "",
            "Prints 'polling env_...' when ready. SIGTERM drains: nothing more is claimed, running calls have their grace."
        },
        mixinStandardHelpOptions = true)
final class WorkerCommand implements Callable<Integer> {
    private static final String DEFAULT_BASE_URL = "https://api.anthropic.com";

    @Option(
            names = "--data",
            paramLabel = "DIR",
            defaultValue = StateDirectories.DEFAULT,
            description = "State and workspaces (default: ${DEFAULT-VALUE}).")
    private Path data;

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description =
                    "YAML: max-sessions, max-idle, drain-grace, runtime, template, policy, policies, networking,"
                            + " session-metadata, limits, warm, audit.")
    private @Nullable Path config;

    @Override
    public Integer call() {
        WorkerConfig defaults = fromEnvironment(System.getenv(), data);
        WorkerSettings settings =
                config == null ? WorkerSettings.DEFAULT : WorkerSettings.read(config);
        try (Ending ending = Ending.listen(0);
                LocalWorker worker = LocalWorker.open(defaults, settings)) {
            ending.ask(worker::drain);
            Terminal.standard().line("polling " + defaults.environmentId());
            worker.run();
            return 0;
        }
    }

    /// The configuration that the environment variables ask for.
    static WorkerConfig fromEnvironment(Map<String, String> variables, Path data) {
        String id = variables.getOrDefault("ANTHROPIC_ENVIRONMENT_ID", "");
        if (id.isBlank()) {
            throw new CliException(
                    "ANTHROPIC_ENVIRONMENT_ID is not set: the id (env_...) of a self-hosted environment");
        }
        String url = variables.getOrDefault("ANTHROPIC_BASE_URL", "");
        try {
            return WorkerConfig.of(
                    new URI(url.isBlank() ? DEFAULT_BASE_URL : url), id, key(variables), data);
        } catch (URISyntaxException e) {
            throw new CliException("ANTHROPIC_BASE_URL is not a URL: " + e.getReason());
        }
    }

    private static Secret key(Map<String, String> variables) {
        String file = variables.getOrDefault("ANTHROPIC_ENVIRONMENT_KEY_FILE", "");
        String key = variables.getOrDefault("ANTHROPIC_ENVIRONMENT_KEY", "").strip();
        if (!file.isBlank()) {
            try {
                key = Files.readString(Path.of(file)).strip();
            } catch (IOException e) {
                throw new CliException(
                        "ANTHROPIC_ENVIRONMENT_KEY_FILE: cannot read "
                                + file
                                + ": "
                                + CliException.reason(e));
            }
        }
        if (key.isEmpty()) {
            throw new CliException(
                    "set ANTHROPIC_ENVIRONMENT_KEY_FILE (or ANTHROPIC_ENVIRONMENT_KEY) to the key of the environment");
        }
        return new Secret(key);
    }
}
