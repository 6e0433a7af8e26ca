package dev.glovebox.cli;

import dev.glovebox.brain.Brains;
import dev.glovebox.cli.config.CredentialsFile;
import dev.glovebox.cli.config.StateDirectories;
import dev.glovebox.cli.config.WorkerSettings;
import dev.glovebox.cli.demo.Demo;
import dev.glovebox.linux.Trees;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.server.ControlPlane;
import dev.glovebox.server.ServerConfig;
import dev.glovebox.worker.PlaceConfig;
import dev.glovebox.worker.WorkerConfig;
import dev.glovebox.workspace.Workspaces;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/// `glovebox demo`: a whole session from client to sandbox and back, each claim looked at.
@Command(
        name = "demo",
        description = {
            "Runs a whole session on this machine: a control plane, a worker, and an agent (a script, no model) that mends a failing"
                    + " test in a sandbox, uses a credential it cannot read and is refused a forbidden host.",
            "",
            "Exits 0 only if all of it really happened. Leaves nothing behind."
        },
        mixinStandardHelpOptions = true)
final class DemoCommand implements Callable<Integer> {
    private static final Duration DRAIN = Duration.ofSeconds(5);

    @Override
    public Integer call() {
        Terminal terminal = Terminal.standard();
        StoryTeller narrator = new StoryTeller(terminal);
        Path data = directory();
        try (Demo.Host host = Demo.host()) {
            boolean holds = run(data, host, narrator);
            terminal.line("");
            terminal.line(
                    holds
                            ? terminal.good("all of it really happened")
                            : terminal.bad("something of it did not happen: see above"));
            return holds ? 0 : 1;
        } finally {
            Trees.remove(data);
        }
    }

    private static boolean run(Path data, Demo.Host host, StoryTeller narrator) {
        try (Brains brains = new Brains(Optional.empty());
                ControlPlane plane =
                        ControlPlane.start(
                                new ServerConfig(
                                        data,
                                        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)),
                                brains)) {
            URI url = Urls.of(plane.address());
            CredentialsFile credentials = CredentialsFile.in(data);
            narrator.stage("control plane at " + url);
            EgressPolicy policy = EgressPolicy.parse(host.policy());
            WorkerConfig config =
                    WorkerConfig.of(
                                    url,
                                    credentials.environmentId(),
                                    credentials.environmentKey(),
                                    data)
                            .withDrainGrace(DRAIN);
            try (LocalWorker worker =
                    LocalWorker.open(
                            config, WorkerSettings.in(PlaceConfig.DEFAULT.withPolicy(policy)))) {
                Thread serving = Thread.ofVirtual().name("demo-worker").start(worker::run);
                narrator.stage("worker polling " + credentials.environmentId());
                boolean holds =
                        new Demo(url, credentials.apiKey(), credentials.environmentId(), narrator)
                                .run(host, id -> workspace(data, id));
                worker.drain();
                serving.join(DRAIN.plusSeconds(30));
                return holds;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliException("interrupted");
        }
    }

    /// Where the session's files are while the worker has its workspace open.
    private static Path workspace(Path data, String session) {
        return Workspaces.open(new StateDirectories(data).workspaces())
                .whereOpen(session)
                .orElseThrow(() ->
                        new CliException("the workspace of " + session + " is not there any more"));
    }

    /// Not below `/tmp`, which may be a small file system in memory or one that cannot be
    /// id-mapped.
    private static Path directory() {
        try {
            return Files.createTempDirectory(Path.of("/var/tmp"), "glovebox-demo-");
        } catch (IOException e) {
            throw new UncheckedIOException("cannot make a directory in /var/tmp", e);
        }
    }
}
