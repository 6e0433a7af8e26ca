package dev.glovebox.spec.lab;

import dev.glovebox.egress.Doors;
import dev.glovebox.egress.EgressConfig;
import dev.glovebox.linux.Trees;
import dev.glovebox.protocol.Secret;
import dev.glovebox.sandbox.SandboxConfig;
import dev.glovebox.sandbox.Sandboxes;
import dev.glovebox.worker.Worker;
import dev.glovebox.worker.WorkerConfig;
import dev.glovebox.workspace.Workspaces;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/// Our worker, in this process, with real doors, workspaces and sandboxes; needs root.
public final class OwnWorker implements AutoCloseable {
    private final Path folder;
    private final Doors doors;
    private final Sandboxes sandboxes;
    private final Worker worker;

    OwnWorker(Path folder, URI baseUrl, String environmentId, Secret key, Duration maxIdle) {
        this.folder = folder;
        this.sandboxes = Sandboxes.open(SandboxConfig.in(folder.resolve("sandboxes")));
        this.doors = Doors.open(EgressConfig.at(folder.resolve("doors")));
        WorkerConfig config =
                WorkerConfig.of(baseUrl, environmentId, key, folder.resolve("worker"))
                        .withMaxIdle(maxIdle);
        this.worker =
                new Worker(
                        config,
                        sandboxes,
                        doors,
                        Workspaces.open(workspaces(folder), Optional.empty()));
    }

    /// Starts a worker that serves the desk's environment until it is closed.
    public static OwnWorker serving(Desk desk) {
        try {
            Path folder = Files.createTempDirectory("glovebox-own-");
            Secret key = new Secret(desk.environmentKey());
            OwnWorker own =
                    new OwnWorker(
                            folder,
                            desk.baseUrl(),
                            desk.environmentId(),
                            key,
                            Duration.ofSeconds(60));
            Thread.ofPlatform().name("own-worker").start(own::run);
            return own;
        } catch (IOException e) {
            throw new UncheckedIOException("start our worker", e);
        }
    }

    /// Where a worker of this folder keeps the files of its sessions, a directory each.
    static Path workspaces(Path folder) {
        return folder.resolve("workspaces");
    }

    /// Works until drained.
    void run() {
        worker.run();
    }

    /// Lets [#run] return.
    void drain() {
        worker.drain();
    }

    /// Ends it; the files of its sessions stay.
    void release() {
        worker.close();
        sandboxes.close();
        doors.close();
    }

    @Override
    public void close() {
        release();
        Trees.remove(folder);
    }
}
