package dev.glovebox.spec.lab;

import dev.glovebox.egress.Doors;
import dev.glovebox.egress.EgressConfig;
import dev.glovebox.protocol.Secret;
import dev.glovebox.sandbox.SandboxConfig;
import dev.glovebox.sandbox.Sandboxes;
import dev.glovebox.worker.Worker;
import dev.glovebox.worker.WorkerConfig;
import dev.glovebox.workspace.Workspaces;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/// Our worker, in this process, with real doors, workspaces and sandboxes; needs root.
public final class OwnWorker implements AutoCloseable {
    private static final Duration LEAVE = Duration.ofSeconds(30);

    private final Path folder;
    private final Doors doors;
    private final Sandboxes sandboxes;
    private final Worker worker;
    private final Thread thread;

    private OwnWorker(Path folder, WorkerConfig config) {
        this.folder = folder;
        this.sandboxes = Sandboxes.open(SandboxConfig.in(folder.resolve("sandboxes")));
        this.doors = Doors.open(EgressConfig.at(folder.resolve("doors")));
        Workspaces workspaces = Workspaces.open(folder.resolve("workspaces"));
        this.worker = new Worker(config, sandboxes, doors, workspaces);
        this.thread = Thread.ofPlatform().name("own-worker").start(worker::run);
    }

    /// Starts a worker that serves the desk's environment until it is closed, staying a minute with
    /// each session.
    public static OwnWorker serving(Desk desk) {
        return serving(desk, Duration.ofSeconds(60));
    }

    /// Starts a worker that leaves a session so long after the end of its turn.
    public static OwnWorker serving(Desk desk, Duration maxIdle) {
        try {
            Path folder = Files.createTempDirectory("glovebox-own-");
            WorkerConfig config =
                    WorkerConfig.of(
                                    desk.baseUrl(),
                                    desk.environmentId(),
                                    new Secret(desk.environmentKey()),
                                    folder.resolve("worker"))
                            .withMaxIdle(maxIdle);
            return new OwnWorker(folder, config);
        } catch (IOException e) {
            throw new UncheckedIOException("start our worker", e);
        }
    }

    /// How many sessions it serves now.
    public int sessions() {
        return worker.sessions();
    }

    @Override
    public void close() {
        worker.close();
        try {
            thread.join(LEAVE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        sandboxes.close();
        doors.close();
        Trees.remove(folder);
    }
}
