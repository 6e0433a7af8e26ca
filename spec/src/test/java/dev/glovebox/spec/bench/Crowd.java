package dev.glovebox.spec.bench;

import dev.glovebox.egress.Door;
import dev.glovebox.egress.Doors;
import dev.glovebox.egress.EgressConfig;
import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.sandbox.Limits;
import dev.glovebox.sandbox.Mount;
import dev.glovebox.sandbox.Sandbox;
import dev.glovebox.sandbox.SandboxSpec;
import dev.glovebox.sandbox.Sandboxes;
import dev.glovebox.sandbox.Template;
import dev.glovebox.worker.shell.Cancellation;
import dev.glovebox.worker.shell.ShellEnvironment;
import dev.glovebox.worker.tool.CallNotes;
import dev.glovebox.worker.tool.ToolLimits;
import dev.glovebox.worker.tool.ToolResult;
import dev.glovebox.worker.tool.Toolset;
import dev.glovebox.workspace.Workspace;
import dev.glovebox.workspace.Workspaces;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import java.util.stream.IntStream;

/// Many sandboxes: how the next one's start, and each one's memory, depend on how many there are.
final class Crowd {
    private static final int AT_THE_END = 10;
    private static final double MEBI = 1 << 20;

    private final Report report;
    private final Sandboxes sandboxes;
    private final Path folder;

    /// What the last starts took for disk, door, sandbox and first call.
    private final Deque<List<Duration>> steps = new ArrayDeque<>();

    /// @param folder for doors and workspaces
    Crowd(Report report, Sandboxes sandboxes, Path folder) {
        this.report = report;
        this.sandboxes = sandboxes;
        this.folder = folder;
    }

    /// All that a session has while it waits for its next call.
    private record Room(Workspace workspace, Door door, Sandbox sandbox, Toolset tools)
            implements AutoCloseable {
        @Override
        public void close() {
            tools.close();
            sandbox.close();
            door.close();
            workspace.close();
        }
    }

    void idle(int most) {
        report.section(
                "Idle sessions",
                "Sessions alive and idle, with all they have: a workspace disk, a door, a sandbox, and a shell in it that has run one command; "
                        + BenchSandbox.WARM_UP
                        + " went before. *Start* is the mean of the last "
                        + AT_THE_END
                        + " at that number, of all of it. Memory is what the machine's `MemAvailable` lost by each and what this process"
                        + " grew by each.",
                "alive",
                "start of the next",
                "to the first 10",
                "of which disk",
                "door",
                "sandbox",
                "call",
                "memory each",
                "of which the worker",
                "aim");
        settle();
        Deque<Room> rooms = new ArrayDeque<>();
        Workspaces workspaces = Workspaces.open(folder.resolve("idle-disks"));
        try (Doors doors = Doors.open(EgressConfig.at(folder.resolve("idle-doors")))) {
            try {
                fill(rooms, name -> room(workspaces, doors, name), most);
            } finally {
                rooms.forEach(Room::close);
            }
        }
        report.end();
    }

    /// What the parts before have written is not written back beside what is measured.
    private static void settle() {
        try {
            new ProcessBuilder("sync").start().waitFor();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void fill(Deque<Room> rooms, Function<String, Room> source, int most) {
        for (int i = 0; i < BenchSandbox.WARM_UP; i++) {
            source.apply("first-" + i).close();
        }
        long available = kilobytes("/proc/meminfo", "MemAvailable");
        long resident = kilobytes("/proc/self/status", "VmRSS");
        List<Duration> times = new ArrayList<>();
        Duration first = Duration.ZERO;
        for (int count = 1; count <= most; count++) {
            String name = "idle-" + count;
            times.add(BenchSandbox.timed(() -> rooms.add(source.apply(name))));
            if (count != 10 && count != 100 && count != most) {
                continue;
            }
            Duration mean =
                    new Figures(times.subList(Math.max(0, count - AT_THE_END), count)).mean();
            first = count == 10 ? mean : first;
            report.row(
                    Integer.toString(count),
                    Figures.millis(mean),
                    Figures.ratio(mean, first),
                    step(0),
                    step(1),
                    step(2),
                    step(3),
                    mebibytes(available - kilobytes("/proc/meminfo", "MemAvailable"), count),
                    mebibytes(kilobytes("/proc/self/status", "VmRSS") - resident, count),
                    count == most ? "<= 8 MiB, start flat" : "");
        }
    }

    /// The mean of a step over the last starts.
    private String step(int which) {
        return Figures.millis(
                new Figures(steps.stream().map(each -> each.get(which)).toList()).mean());
    }

    private Room room(Workspaces workspaces, Doors doors, String name) {
        List<Long> clock = new ArrayList<>(List.of(System.nanoTime()));
        Workspace workspace = workspaces.open(name);
        clock.add(System.nanoTime());
        Door door = doors.open(name, EgressPolicy.DENY_ALL);
        clock.add(System.nanoTime());
        Sandbox sandbox =
                sandboxes.create(
                        new SandboxSpec(
                                name,
                                Template.BASE,
                                List.of(new Mount(workspace.directory(), "/workspace", false)),
                                Optional.of(door.networkNamespace()),
                                Limits.DEFAULT,
                                Map.of()));
        clock.add(System.nanoTime());
        Toolset tools =
                new Toolset(
                        sandbox,
                        new ShellEnvironment("/workspace", sandbox.environment()),
                        ToolLimits.DEFAULT,
                        CallNotes.NONE);
        ToolResult first =
                tools.call("bash", Json.object().put("command", "echo on"), new Cancellation());
        if (!first.text().equals("on")) {
            throw new IllegalStateException("the first call of " + name + ": " + first);
        }
        clock.add(System.nanoTime());
        if (steps.size() == AT_THE_END) {
            steps.remove();
        }
        steps.add(
                IntStream.range(1, clock.size())
                        .mapToObj(i -> Duration.ofNanos(clock.get(i) - clock.get(i - 1)))
                        .toList());
        return new Room(workspace, door, sandbox, tools);
    }

    void burst(int count, int passes) {
        report.section(
                "A burst",
                count
                        + " started at once, until the last has answered; the median of "
                        + passes
                        + " passes. Ours as in *A cold start*, ended after the clock.",
                "",
                "time",
                "glovebox / this");
        try (Peer bare = Peer.runtime("crun")) {
            List<Passes> found =
                    Passes.of(
                            passes,
                            List.of(
                                    () -> new Figures(List.of(atOnce(count))),
                                    () -> new Figures(List.of(bare.atOnce(count)))));
            Duration ours = found.get(0).percentile(0.5);
            Duration theirs = found.get(1).percentile(0.5);
            report.row("glovebox", Figures.millis(ours), "");
            report.row(bare.name(), Figures.millis(theirs), Figures.ratio(ours, theirs));
        }
        report.end();
    }

    private Duration atOnce(int count) {
        List<Callable<Sandbox>> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            SandboxSpec spec = SandboxSpec.of("burst-" + i, List.of());
            all.add(() -> {
                Sandbox sandbox = sandboxes.create(spec);
                BenchSandbox.answer(sandbox);
                return sandbox;
            });
        }
        long start = System.nanoTime();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Sandbox>> started = threads.invokeAll(all);
            Duration time = Duration.ofNanos(System.nanoTime() - start);
            for (Future<Sandbox> one : started) {
                threads.execute(one.get()::close);
            }
            return time;
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException("a burst of " + count, e);
        }
    }

    private static String mebibytes(long kilobytes, int count) {
        return String.format(Locale.ROOT, "%.2f MiB", kilobytes * 1024 / MEBI / count);
    }

    private static long kilobytes(String file, String name) {
        try {
            return Files.readAllLines(Path.of(file)).stream()
                    .filter(line -> line.startsWith(name + ":"))
                    .map(line -> Long.parseLong(line.replaceAll("\\D+", "")))
                    .findFirst()
                    .orElseThrow();
        } catch (IOException e) {
            throw new UncheckedIOException("read " + file, e);
        }
    }
}
