package dev.glovebox.cli;

import dev.glovebox.cli.config.DurationOption;
import dev.glovebox.cli.config.PolicySettings;
import dev.glovebox.cli.config.RegistryOptions;
import dev.glovebox.cli.config.StateDirectories;
import dev.glovebox.cli.config.TemplateDirectory;
import dev.glovebox.cli.config.TemplateFile;
import dev.glovebox.egress.Door;
import dev.glovebox.egress.Doors;
import dev.glovebox.egress.EgressConfig;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.sandbox.Limits;
import dev.glovebox.sandbox.Mount;
import dev.glovebox.sandbox.RuntimeName;
import dev.glovebox.sandbox.Sandbox;
import dev.glovebox.sandbox.SandboxSpec;
import dev.glovebox.sandbox.Sandboxes;
import dev.glovebox.sandbox.Template;
import dev.glovebox.worker.DoorCertificates;
import dev.glovebox.workspace.Workspace;
import dev.glovebox.workspace.WorkspaceLimits;
import dev.glovebox.workspace.Workspaces;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `glovebox sandbox run`: one throw-away sandbox around one command, whose input, output and exit
/// code are the caller's own.
@Command(
        name = "run",
        description = {
            "Runs a command in a throw-away sandbox: hardened, without network unless a policy opens it, with /workspace writable.",
            "",
            "Standard input, output and error are passed through. The exit code is the command's; 124 when its time was up, 125"
                    + " when no sandbox could be had, 128+N when signal N ended it; of a command that ended well 141 when nobody read"
                    + " its output to the end, 74 when it could not be written.",
            "",
            "Examples:",
            "  glovebox sandbox run -- id",
            "  glovebox sandbox run --workspace build --memory 1g -- make",
            "  glovebox sandbox run --policy policy.yaml --timeout 60s -- curl https://api.example.com"
        },
        mixinStandardHelpOptions = true,
        exitCodeOnExecutionException = 125)
final class SandboxRun implements Callable<Integer> {
    private static final String PROGRAM = "run";
    private static final int EXIT_TERMINATED = 143;

    @Option(
            names = "--template",
            paramLabel = "T",
            defaultValue = "base",
            description =
                    "What is inside: a name that `sandbox templates` lists, or a file; base = this host's /usr (default:"
                            + " ${DEFAULT-VALUE}).")
    private String template;

    @Option(
            names = "--templates",
            paramLabel = "DIR",
            defaultValue = TemplateDirectory.DEFAULT,
            description = "Directory of NAME.yaml (default: ${DEFAULT-VALUE}).")
    private Path templates;

    @Mixin private RegistryOptions registries;

    @Option(
            names = "--runtime",
            paramLabel = "crun|runc|runsc",
            description = "OCI runtime; default: the first that works here.")
    private @Nullable String runtime;

    @Option(
            names = "--policy",
            paramLabel = "FILE",
            description = "Egress policy; default: the template's, or else nothing leaves.")
    private @Nullable Path policy;

    @Option(
            names = "--workspace",
            paramLabel = "NAME",
            description = "Keep /workspace under this name; default: gone at the end.")
    private @Nullable String workspace;

    @Option(
            names = "--disk",
            paramLabel = "SIZE",
            description =
                    "Size of a new /workspace; a kept one keeps the size it was made with (default: 10g).")
    private @Nullable String disk;

    @Option(names = "--memory", paramLabel = "SIZE", description = "Such as 256m (default: 2g).")
    private @Nullable String memory;

    @Option(names = "--cpus", paramLabel = "N", description = "Such as 0.5 (default: 2).")
    private @Nullable Double cpus;

    @Option(names = "--pids", paramLabel = "N", description = "Processes (default: 512).")
    private @Nullable Integer pids;

    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            defaultValue = "60s",
            converter = DurationOption.class,
            description = "Such as 90s, 10m, 2h (default: ${DEFAULT-VALUE}).")
    private Duration timeout;

    @Parameters(arity = "1..*", paramLabel = "CMD", description = "Command and its arguments.")
    private List<String> command;

    @Override
    public Integer call() {
        TemplateFile chosen = new TemplateDirectory(templates).find(template);
        EgressPolicy rules =
                Optional.ofNullable(policy)
                        .or(chosen::policy)
                        .map(PolicySettings::policy)
                        .orElse(EgressPolicy.DENY_ALL);
        if (rules.fallback() == EgressPolicy.Fallback.LEARN) {
            System.err.println(
                    "glovebox: this policy learns: to every public address passes what no rule speaks of");
        }
        Optional<WorkspaceLimits> size = diskLimits(chosen.disk());
        Limits limits = limits(chosen.template().limits(), size);
        try (Ending ending = Ending.listen(EXIT_TERMINATED)) {
            return run(rules, chosen.template(), limits, size, ending);
        }
    }

    private int run(
            EgressPolicy rules,
            Template chosen,
            Limits limits,
            Optional<WorkspaceLimits> size,
            Ending ending) {
        var place =
                StateDirectories.throwAway(
                        Optional.ofNullable(runtime).map(RuntimeName::parse),
                        registries.settings());
        try (var sandboxes = place.sandboxes();
                var doors = Doors.open(EgressConfig.at(place.directories().doors()));
                Door door = doors.open(PROGRAM, rules);
                var files = disk(place.directories(), size)) {
            ending.ask(Thread.currentThread()::interrupt);
            prepare(sandboxes, chosen, limits, door);
            try (Sandbox sandbox = sandboxes.create(spec(chosen, limits, door, files))) {
                ending.ask(sandbox::close);
                return new PassThrough(sandbox, timeout, limits.memoryBytes()).run(command);
            }
        }
    }

    /// The template's command, if it has not run yet, may reach what the caller's may.
    private static void prepare(Sandboxes sandboxes, Template chosen, Limits limits, Door door) {
        DoorCertificates certificates = DoorCertificates.whilePreparing(door.trustFiles(), chosen);
        sandboxes.prepare(
                new SandboxSpec(
                        "prepare",
                        chosen,
                        certificates.mounts(),
                        Optional.of(door.networkNamespace()),
                        limits,
                        certificates.environment()),
                line -> System.err.println("glovebox: " + line));
    }

    private static SandboxSpec spec(Template chosen, Limits limits, Door door, Disk files) {
        DoorCertificates certificates = DoorCertificates.of(door.trustFiles(), chosen);
        List<Mount> mounts = new ArrayList<>(certificates.mounts());
        mounts.add(new Mount(files.path(), "/workspace", false));
        return new SandboxSpec(
                PROGRAM,
                chosen,
                mounts,
                Optional.of(door.networkNamespace()),
                limits,
                certificates.environment());
    }

    private Disk disk(StateDirectories passing, Optional<WorkspaceLimits> size) {
        return workspace == null
                ? Disk.passing(Workspaces.open(passing.workspaces(), size))
                : Disk.kept(
                        Workspaces.open(
                                new StateDirectories(Path.of(StateDirectories.DEFAULT))
                                        .workspaces(),
                                size),
                        workspace);
    }

    private Optional<WorkspaceLimits> diskLimits(Optional<WorkspaceLimits> ofTemplate) {
        return disk == null
                ? ofTemplate
                : Optional.of(
                        ofTemplate.orElse(WorkspaceLimits.DEFAULT).withBytes(Limits.bytes(disk)));
    }

    /// The time of the sandbox is no less than that of the command.
    private Limits limits(Limits limits, Optional<WorkspaceLimits> size) {
        limits = size.map(WorkspaceLimits::bytes).map(limits::withFileBytes).orElse(limits);
        if (timeout.compareTo(limits.time()) > 0) {
            limits = limits.withTime(timeout.plusMinutes(1));
        }
        if (memory != null) {
            limits = limits.withMemory(memory);
        }
        if (cpus != null) {
            limits = limits.withCpus(cpus);
        }
        return pids == null ? limits : limits.withPids(pids);
    }

    /// The workspace behind `/workspace`: a named one that stays, or one that goes with the
    /// sandbox.
    private record Disk(Workspace open, Runnable end) implements AutoCloseable {
        static Disk kept(Workspaces workspaces, String name) {
            return new Disk(workspaces.open(name), () -> {});
        }

        static Disk passing(Workspaces workspaces) {
            workspaces.delete(PROGRAM);
            return new Disk(workspaces.open(PROGRAM), () -> workspaces.delete(PROGRAM));
        }

        Path path() {
            return open.directory();
        }

        @Override
        public void close() {
            open.close();
            end.run();
        }
    }
}
