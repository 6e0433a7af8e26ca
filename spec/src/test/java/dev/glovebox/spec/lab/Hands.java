package dev.glovebox.spec.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/// A worker as a process that a test can kill, of one of two makes; both are started with the same
/// words.
public enum Hands {
    /// The official TypeScript worker, in a plain directory.
    OFFICIAL {
        @Override
        public WorkerProcess serving(
                URI baseUrl, String environment, String key, Duration maxIdle, Path folder) {
            ProcessBuilder builder = new ProcessBuilder(NodeHome.ready().command("worker.mjs"));
            builder.environment().put("ANTHROPIC_BASE_URL", baseUrl.toString());
            builder.environment().put("ANTHROPIC_ENVIRONMENT_ID", environment);
            builder.environment()
                    .put("GLOVEBOX_WORKDIR", directory(folder.resolve("workdir")).toString());
            builder.environment().put("GLOVEBOX_MAX_IDLE_MS", Long.toString(maxIdle.toMillis()));
            return WorkerProcess.start(builder, key, folder);
        }

        @Override
        public String inside(Path folder, String file) {
            return folder.resolve("workdir").resolve(file).toString();
        }

        @Override
        public Path seen(Path folder, Talk talk, String file) {
            return folder.resolve("workdir").resolve(file);
        }
    },

    /// Ours, in a sandbox for each session.
    OWN {
        @Override
        public WorkerProcess serving(
                URI baseUrl, String environment, String key, Duration maxIdle, Path folder) {
            return WorkerProcess.start(
                    new ProcessBuilder(
                            List.of(
                                    Path.of(System.getProperty("java.home"), "bin/java").toString(),
                                    "--enable-native-access=ALL-UNNAMED",
                                    "-cp",
                                    System.getProperty("java.class.path"),
                                    OwnWorkerProgram.class.getName(),
                                    folder.toString(),
                                    baseUrl.toString(),
                                    environment,
                                    maxIdle.toString())),
                    key,
                    folder);
        }

        @Override
        public String inside(Path folder, String file) {
            return "/workspace/" + file;
        }

        @Override
        public Path seen(Path folder, Talk talk, String file) {
            return OwnWorker.workspaces(folder).resolve(talk.id()).resolve(file);
        }
    };

    /// Starts a worker and waits until it is ready to poll.
    ///
    /// @param folder its own; a second worker given the same one finds the files of the first
    public abstract WorkerProcess serving(
            URI baseUrl, String environment, String key, Duration maxIdle, Path folder);

    /// Starts a worker for a desk's environment.
    public final WorkerProcess serving(Desk desk, Duration maxIdle, Path folder) {
        return serving(
                desk.baseUrl(), desk.environmentId(), desk.environmentKey(), maxIdle, folder);
    }

    /// The name of a file for the agent's commands.
    public abstract String inside(Path folder, String file);

    /// The same file for the test.
    public abstract Path seen(Path folder, Talk talk, String file);

    private static Path directory(Path path) {
        try {
            return Files.createDirectories(path).toRealPath();
        } catch (IOException e) {
            throw new UncheckedIOException("make " + path, e);
        }
    }
}
