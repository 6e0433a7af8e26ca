package dev.glovebox.spec.bench;

import dev.glovebox.protocol.Json;
import dev.glovebox.sandbox.Limits;
import dev.glovebox.sandbox.Mount;
import dev.glovebox.sandbox.Sandbox;
import dev.glovebox.sandbox.SandboxSpec;
import dev.glovebox.sandbox.SandboxState;
import dev.glovebox.sandbox.Sandboxes;
import dev.glovebox.sandbox.Template;
import dev.glovebox.sandbox.guest.GuestException;
import dev.glovebox.spec.lab.SourceTree;
import dev.glovebox.worker.shell.Cancellation;
import dev.glovebox.worker.shell.ShellEnvironment;
import dev.glovebox.worker.tool.CallNotes;
import dev.glovebox.worker.tool.ToolLimits;
import dev.glovebox.worker.tool.ToolResult;
import dev.glovebox.worker.tool.Toolset;
import dev.glovebox.workspace.Workspace;
import dev.glovebox.workspace.WorkspaceLimits;
import dev.glovebox.workspace.Workspaces;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/// What the hogs of `sandbox/src/test/hogs.txt` do to the calls of another sandbox: the part of
/// [BenchSandbox] that is about neighbours.
///
/// Hog and neighbour have a workspace disk each and are driven through the worker's tools. The
/// neighbour's calls are a millisecond apart, which is much for an agent and little for the
/// machine. The hog is paused and resumed in turns, so that calls with and without it meet the same
/// machine.
final class Neighbours {
    private static final System.Logger LOG = System.getLogger(Neighbours.class.getName());
    private static final int CALLS = 1000;

    /// Between calls. In a loop without it the neighbour itself would be one of the busy.
    private static final long PACE_NANOS = 1_000_000;

    /// For a hog to become what it is before it is measured.
    private static final long SETTLE_NANOS = 1_000_000_000;

    /// For the neighbour to be light again after its warm-up.
    private static final long REST_NANOS = 4_000_000_000L;

    private static final int WARM_UP = 30_000;
    private static final int LONGEST_CALL_MILLIS = 600_000;
    private static final WorkspaceLimits DISK = new WorkspaceLimits(256L << 20, 20_000);

    private final Report report;
    private final Sandboxes sandboxes;
    private final Path folder;
    private final int rounds;
    private final Limits hogs;

    /// @param rounds with the hog and without it; 1,000 calls each
    /// @param tenths of a processor that a hog may use
    Neighbours(Report report, Sandboxes sandboxes, Path folder, int rounds, int tenths) {
        this.report = report;
        this.sandboxes = sandboxes;
        this.folder = folder;
        this.rounds = rounds;
        this.hogs = new Limits(Limits.bytes("256m"), tenths / 10.0, 64);
    }

    private record Place(Workspace workspace, Sandbox sandbox, Toolset tools)
            implements AutoCloseable {
        ToolResult bash(String command) {
            return tools.call(
                    "bash",
                    Json.object().put("command", command).put("timeout_ms", LONGEST_CALL_MILLIS),
                    new Cancellation());
        }

        @Override
        public void close() {
            tools.close();
            sandbox.close();
            workspace.close();
        }
    }

    void run() throws IOException {
        report.section(
                "Neighbours",
                String.format(
                        Locale.ROOT,
                        "`echo` as an agent's call, through the tools of the worker, in a sandbox with a disk: alone, and beside another that does"
                                + " its worst with %.1f processors, 256 MiB and a disk of its own, and has for a second. %d calls each, a"
                                + " millisecond apart, in turns of %d; the hog is frozen for those without it.",
                        hogs.cpus(),
                        rounds * CALLS,
                        CALLS),
                "hog",
                "alone, p50",
                "beside it, p50",
                "ratio",
                "alone, p99",
                "beside it, p99",
                "ratio",
                "aim");
        Path program = folder.resolve("exhaust");
        compile(program);
        Workspaces workspaces = Workspaces.open(folder.resolve("disks"), Optional.of(DISK));
        try (Place neighbour = place(workspaces, "neighbour", Limits.DEFAULT)) {
            for (int i = 0; i < WARM_UP; i++) {
                call(neighbour);
            }
            LockSupport.parkNanos(REST_NANOS);
            for (String line :
                    Files.readAllLines(SourceTree.root().resolve("sandbox/src/test/hogs.txt"))) {
                if (!line.startsWith("#")) {
                    List<String> columns = List.of(line.split("\\s+\\|\\s+", -1));
                    String command = String.join(" | ", columns.subList(1, columns.size() - 2));
                    beside(neighbour, workspaces, program, columns.getFirst(), command);
                }
            }
        }
        report.end();
    }

    private void beside(
            Place neighbour, Workspaces workspaces, Path program, String name, String command)
            throws IOException {
        List<Duration> alone = new ArrayList<>();
        List<Duration> with = new ArrayList<>();
        Path script = folder.resolve("round");
        Files.writeString(script, command + "\n");
        try (Place hog = place(workspaces, "hog", hogs)) {
            for (Path file : List.of(program, script)) {
                Path copy = hog.workspace().directory().resolve(file.getFileName());
                Files.copy(file, copy);
                Files.setPosixFilePermissions(copy, PosixFilePermissions.fromString("rwxr-xr-x"));
            }
            Thread.ofVirtual().name("hog").start(() -> rage(hog));
            while (hog.sandbox().tasks() < 3) {
                LockSupport.parkNanos(1_000_000);
            }
            LockSupport.parkNanos(SETTLE_NANOS);
            for (int i = 0; i < rounds; i++) {
                measure(neighbour, with);
                hog.sandbox().pause();
                measure(neighbour, alone);
                hog.sandbox().resume();
            }
        }
        workspaces.delete("hog");
        row(name, new Figures(alone), new Figures(with));
    }

    /// Until its sandbox is closed. A round that stops itself or never ends is killed; one that is
    /// out of memory may take its shell with it, and the next call starts another.
    private static void rage(Place hog) {
        try {
            while (!(hog.sandbox().state() instanceof SandboxState.Ended)) {
                hog.bash("while :; do timeout -s KILL 20 bash round; done");
            }
        } catch (GuestException e) {
            LOG.log(Level.DEBUG, "the hog has ended", e);
        }
    }

    private static void measure(Place neighbour, List<Duration> found) {
        for (int i = 0; i < CALLS; i++) {
            found.add(BenchSandbox.timed(() -> call(neighbour)));
            LockSupport.parkNanos(PACE_NANOS);
        }
    }

    private static void call(Place neighbour) {
        ToolResult result = neighbour.bash("echo on");
        if (!result.text().equals("on")) {
            throw new IllegalStateException("the neighbour's call: " + result);
        }
    }

    private void row(String name, Figures alone, Figures with) {
        report.row(
                name,
                Figures.millis(alone.percentile(0.5)),
                Figures.millis(with.percentile(0.5)),
                Figures.ratio(with.percentile(0.5), alone.percentile(0.5)),
                Figures.millis(alone.percentile(0.99)),
                Figures.millis(with.percentile(0.99)),
                Figures.ratio(with.percentile(0.99), alone.percentile(0.99)),
                "p99 <= 3 x");
    }

    private Place place(Workspaces workspaces, String name, Limits limits) {
        Workspace workspace = workspaces.open(name);
        try {
            List<Mount> mounts = List.of(new Mount(workspace.directory(), "/workspace", false));
            Sandbox sandbox =
                    sandboxes.create(
                            new SandboxSpec(
                                    name,
                                    Template.BASE,
                                    mounts,
                                    Optional.empty(),
                                    limits,
                                    Map.of()));
            Toolset tools =
                    new Toolset(
                            sandbox,
                            new ShellEnvironment("/workspace", sandbox.environment()),
                            ToolLimits.DEFAULT,
                            CallNotes.NONE);
            return new Place(workspace, sandbox, tools);
        } catch (RuntimeException e) {
            workspace.close();
            throw e;
        }
    }

    private static void compile(Path program) throws IOException {
        Path source = SourceTree.root().resolve("sandbox/src/test/c/exhaust.c");
        try {
            Process gcc =
                    new ProcessBuilder("gcc", "-static", "-O1", "-o", program + "", source + "")
                            .inheritIO()
                            .start();
            if (gcc.waitFor() != 0) {
                throw new IllegalStateException("cannot compile " + source);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }
}
