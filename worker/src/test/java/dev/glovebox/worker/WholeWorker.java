package dev.glovebox.worker;

import dev.glovebox.egress.Doors;
import dev.glovebox.egress.EgressConfig;
import dev.glovebox.egress.audit.AuditConfig;
import dev.glovebox.egress.audit.AuditLog;
import dev.glovebox.protocol.Secret;
import dev.glovebox.sandbox.Limits;
import dev.glovebox.sandbox.Profile;
import dev.glovebox.sandbox.Root;
import dev.glovebox.sandbox.RuntimeName;
import dev.glovebox.sandbox.SandboxConfig;
import dev.glovebox.sandbox.Sandboxes;
import dev.glovebox.sandbox.Template;
import dev.glovebox.worker.operator.OperatorLimits;
import dev.glovebox.worker.operator.OperatorServer;
import dev.glovebox.worker.operator.OperatorSocket;
import dev.glovebox.workspace.WorkspaceLimits;
import dev.glovebox.workspace.Workspaces;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A worker in a process of its own with all that one can have: workspace disks, doors with an
/// audit log, a template that prepares a layer, a warm pool where the runtime has one, and the
/// operator's socket. A test kills it.
final class WholeWorker {
    private static final WorkspaceLimits DISK = new WorkspaceLimits(64L << 20, 2_000);

    private WholeWorker() {}

    /// What a worker of one data directory is made of, opened in this order.
    record Parts(
            Sandboxes sandboxes,
            AuditLog audit,
            Doors doors,
            Workspaces workspaces,
            Template template)
            implements AutoCloseable {
        /// Opens them.
        ///
        /// @param salt makes the layer that the template prepares another one
        static Parts open(Path data, RuntimeName runtime, String salt) {
            Sandboxes sandboxes =
                    Sandboxes.open(
                            new SandboxConfig(
                                    data.resolve("sb"),
                                    Optional.of(runtime),
                                    SandboxConfig.DEFAULT_START_TIMEOUT));
            AuditLog audit = AuditLog.open(AuditConfig.at(data.resolve("audit")));
            return new Parts(
                    sandboxes,
                    audit,
                    Doors.open(EgressConfig.at(data.resolve("doors")).withAudit(audit)),
                    Workspaces.open(data.resolve("ws"), Optional.of(DISK)),
                    template(salt));
        }

        private static Template template(String salt) {
            return new Template(
                    "prepared",
                    new Root.Host(),
                    Profile.STRICT,
                    Optional.empty(),
                    false,
                    Limits.DEFAULT.withMemory("128m"),
                    Map.of(),
                    List.of(
                            "/bin/sh",
                            "-c",
                            "for i in $(seq 300); do echo "
                                    + salt
                                    + " > /usr/local/prepared$i; done"));
        }

        @Override
        public void close() {
            doors.close();
            audit.close();
            sandboxes.close();
        }
    }

    /// Serves until it is killed, or drains when it is asked to end.
    ///
    /// @param words data directory, control plane, runtime, salt
    public static void main(String[] words) {
        Path data = Path.of(words[0]);
        RuntimeName runtime = RuntimeName.valueOf(words[2]);
        System.out.println("begin");
        Parts parts = Parts.open(data, runtime, words[3]);
        System.out.println("open");
        Warm warm = runtime == RuntimeName.RUNSC ? Warm.NONE : new Warm(2, Warm.DEFAULT.maxAge());
        WorkerConfig config =
                WorkerConfig.of(
                                URI.create(words[1]),
                                FakeControlPlane.ENVIRONMENT,
                                new Secret(FakeControlPlane.KEY),
                                data)
                        .withMaxIdle(Duration.ofMillis(20))
                        .withDrainGrace(Duration.ofSeconds(5))
                        .withPlace(
                                PlaceConfig.DEFAULT
                                        .withTemplate(parts.template())
                                        .withLimits(Limits.DEFAULT.withMemory("128m"))
                                        .withWarm(warm));
        Worker worker = new Worker(config, parts.sandboxes(), parts.doors(), parts.workspaces());
        OperatorServer operators =
                OperatorServer.open(
                        OperatorSocket.in(data), worker.roster(), OperatorLimits.DEFAULT);
        Runtime.getRuntime()
                .addShutdownHook(
                        new Thread(() -> {
                            operators.close();
                            worker.close();
                            parts.close();
                        }));
        worker.run();
    }
}
