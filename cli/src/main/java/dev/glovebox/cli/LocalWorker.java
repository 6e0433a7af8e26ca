package dev.glovebox.cli;

import dev.glovebox.cli.config.StateDirectories;
import dev.glovebox.cli.config.WorkerSettings;
import dev.glovebox.egress.Doors;
import dev.glovebox.egress.EgressConfig;
import dev.glovebox.egress.audit.AuditLog;
import dev.glovebox.sandbox.SandboxConfig;
import dev.glovebox.sandbox.Sandboxes;
import dev.glovebox.worker.Worker;
import dev.glovebox.worker.WorkerConfig;
import dev.glovebox.worker.operator.OperatorLimits;
import dev.glovebox.worker.operator.OperatorServer;
import dev.glovebox.workspace.Workspaces;

/// A worker with what it stands on: sandboxes, doors and workspaces below one data directory.
/// Closing ends it in that order.
final class LocalWorker implements AutoCloseable {
    private final Sandboxes sandboxes;
    private final AuditLog audit;
    private final Doors doors;
    private final Worker worker;
    private final OperatorServer operators;

    private LocalWorker(
            Sandboxes sandboxes,
            AuditLog audit,
            Doors doors,
            Worker worker,
            OperatorServer operators) {
        this.sandboxes = sandboxes;
        this.audit = audit;
        this.doors = doors;
        this.worker = worker;
        this.operators = operators;
    }

    /// Makes everything ready, so that what this host lacks is known before the first item is
    /// claimed.
    static LocalWorker open(WorkerConfig defaults, WorkerSettings settings) {
        StateDirectories directories = new StateDirectories(defaults.dataDirectory());
        Sandboxes sandboxes =
                Sandboxes.open(
                        new SandboxConfig(
                                directories.sandboxes(),
                                settings.runtime(),
                                SandboxConfig.DEFAULT_START_TIMEOUT,
                                settings.registries().at(directories.images())));
        try {
            AuditLog audit = AuditLog.open(settings.audit().below(defaults.dataDirectory()));
            try {
                return open(defaults, settings, directories, sandboxes, audit);
            } catch (RuntimeException e) {
                audit.close();
                throw e;
            }
        } catch (RuntimeException e) {
            sandboxes.close();
            throw e;
        }
    }

    private static LocalWorker open(
            WorkerConfig defaults,
            WorkerSettings settings,
            StateDirectories directories,
            Sandboxes sandboxes,
            AuditLog audit) {
        Doors doors =
                Doors.open(
                        settings.egress()
                                .over(EgressConfig.at(directories.doors()).withAudit(audit)));
        try {
            Worker worker =
                    new Worker(
                            settings.over(defaults),
                            sandboxes,
                            doors,
                            Workspaces.open(directories.workspaces(), settings.disk()));
            return new LocalWorker(sandboxes, audit, doors, worker, operators(directories, worker));
        } catch (RuntimeException e) {
            doors.close();
            throw e;
        }
    }

    /// The worker makes sandboxes ready from its beginning, so it is ended first if this fails.
    private static OperatorServer operators(StateDirectories directories, Worker worker) {
        try {
            return OperatorServer.open(
                    directories.operator(), worker.roster(), OperatorLimits.DEFAULT);
        } catch (RuntimeException e) {
            worker.close();
            throw e;
        }
    }

    /// Serves until it is told to drain.
    void run() {
        worker.run();
    }

    /// Claims nothing more, lets running calls end within their grace, and makes [#run] return.
    void drain() {
        worker.drain();
    }

    @Override
    public void close() {
        operators.close();
        worker.close();
        doors.close();
        audit.close();
        sandboxes.close();
    }
}
