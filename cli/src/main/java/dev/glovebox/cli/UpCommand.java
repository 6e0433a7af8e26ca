package dev.glovebox.cli;

import dev.glovebox.brain.Brains;
import dev.glovebox.cli.config.CredentialsFile;
import dev.glovebox.cli.config.ListenOption;
import dev.glovebox.cli.config.StateDirectories;
import dev.glovebox.cli.config.WorkerSettings;
import dev.glovebox.server.ControlPlane;
import dev.glovebox.server.ServerConfig;
import dev.glovebox.worker.WorkerConfig;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `glovebox up`: control plane, brain and worker in one process.
@Command(
        name = "up",
        description = {
            "Runs a whole control plane on this machine, with a worker for its first environment.",
            "",
            "Prints 'ready http://HOST:PORT' when serving. DIR/credentials.json (mode 0600) has api_key, environment_id and"
                    + " environment_key; official SDKs use the first with this base URL.",
            "",
            "A model is reached with GLOVEBOX_MODEL_API_KEY_FILE (or GLOVEBOX_MODEL_API_KEY) and GLOVEBOX_MODEL_BASE_URL; without a"
                    + " key only agents of the model glovebox-script run."
        },
        mixinStandardHelpOptions = true)
final class UpCommand implements Callable<Integer> {
    @Option(
            names = "--data",
            paramLabel = "DIR",
            defaultValue = StateDirectories.DEFAULT,
            description = "Store, credentials and workspaces (default: ${DEFAULT-VALUE}).")
    private Path data;

    @Option(
            names = "--listen",
            paramLabel = "HOST:PORT",
            defaultValue = "127.0.0.1:8600",
            converter = ListenOption.class,
            description = "Where to serve (default: ${DEFAULT-VALUE}).")
    private InetSocketAddress listen;

    @Option(names = "--no-worker", description = "Control plane only; workers are elsewhere.")
    private boolean noWorker;

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "YAML for the worker, as in: glovebox worker --help.")
    private @Nullable Path config;

    @Override
    public Integer call() {
        WorkerSettings settings =
                config == null ? WorkerSettings.DEFAULT : WorkerSettings.read(config);
        Path directory = new StateDirectories(data).server();
        try (Ending ending = Ending.listen(0);
                Brains brains = Brains.fromEnvironment();
                ControlPlane plane =
                        ControlPlane.start(new ServerConfig(directory, listen), brains)) {
            URI url = Urls.of(plane.address());
            if (noWorker) {
                Terminal.standard().line("ready " + url);
                ending.await();
            } else {
                serve(url, worker(url, directory, settings), ending);
            }
            return 0;
        }
    }

    private static void serve(URI url, LocalWorker opened, Ending ending) {
        try (LocalWorker worker = opened) {
            ending.ask(worker::drain);
            Terminal.standard().line("ready " + url);
            worker.run();
        }
    }

    private static LocalWorker worker(URI url, Path directory, WorkerSettings settings) {
        CredentialsFile credentials = CredentialsFile.in(directory);
        return LocalWorker.open(
                WorkerConfig.of(
                        url, credentials.environmentId(), credentials.environmentKey(), directory),
                settings);
    }
}
