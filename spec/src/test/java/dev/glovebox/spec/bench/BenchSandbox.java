package dev.glovebox.spec.bench;

import dev.glovebox.linux.Trees;
import dev.glovebox.sandbox.Sandbox;
import dev.glovebox.sandbox.SandboxConfig;
import dev.glovebox.sandbox.Sandboxes;
import dev.glovebox.sandbox.guest.GuestProcess;
import dev.glovebox.sandbox.guest.ProcessRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeoutException;

/// `./glovebox bench sandbox`: how fast sandboxes start and answer, how many can be, and what they
/// do to one another, each figure beside a peer, the host itself or the quiet machine in the same
/// run.
///
/// Arguments: `--only PART` (cold, warm, commands, pauses, files, neighbours, idle, burst),
/// `--sandboxes N` (100 starts of each kind a pass), `--passes N` (3), `--rounds N` (5 with a hog
/// and without), `--hog-tenths N` (20 tenths of a processor for a hog), `--idle N` (1,000 alive at
/// once), `--burst N` (50 at once), `--write` (also writes `docs/benchmarks.md`).
public final class BenchSandbox implements AutoCloseable {
    private static final Duration DEADLINE = Duration.ofMinutes(3);

    /// Starts before what is measured, as in a worker that has run for a while: until then the JVM
    /// compiles.
    static final int WARM_UP = 50;

    private final Options options;
    private final Report report = new Report("sandbox", "Sandboxes");
    private final Path folder = Files.createTempDirectory("glovebox-bench-");
    private final Sandboxes sandboxes;

    private BenchSandbox(Options options) throws IOException {
        this.options = options;
        this.sandboxes = Sandboxes.open(SandboxConfig.in(folder.resolve("state")));
    }

    /// Runs all of it, or the one part that is asked for.
    public static void main(String[] args) throws IOException {
        Options options = new Options(List.of(args));
        try (BenchSandbox bench = new BenchSandbox(options)) {
            bench.run();
            if (options.write()) {
                bench.report.write();
            }
        }
        System.exit(0);
    }

    private interface Part {
        void run() throws IOException;
    }

    private void run() throws IOException {
        int starts = options.number("--sandboxes", 100);
        int passes = options.number("--passes", 3);
        Commands commands = new Commands(report, sandboxes, starts, passes);
        Crowd crowd = new Crowd(report, sandboxes, folder);
        part("cold", () -> new ColdStarts(report, sandboxes, starts, passes).run());
        part("warm", () -> new WarmClaims(report, sandboxes, folder).run(starts * 2));
        part("commands", commands::exec);
        part("pauses", commands::pauses);
        part("files", () -> new FileTimes(report, sandboxes, folder, starts).run());
        part(
                "neighbours",
                () ->
                        new Neighbours(
                                        report,
                                        sandboxes,
                                        folder,
                                        options.number("--rounds", 5),
                                        options.number("--hog-tenths", 20))
                                .run());
        part("idle", () -> crowd.idle(options.number("--idle", 1000)));
        part("burst", () -> crowd.burst(options.number("--burst", 50), passes));
    }

    private void part(String name, Part part) throws IOException {
        if (options.wants(name)) {
            part.run();
        }
    }

    @Override
    public void close() {
        sandboxes.close();
        Trees.remove(folder);
    }

    static Figures repeated(int times, Runnable act) {
        act.run();
        List<Duration> found = new ArrayList<>();
        for (int i = 0; i < times; i++) {
            found.add(timed(act));
        }
        return new Figures(found);
    }

    static Duration timed(Runnable act) {
        long start = System.nanoTime();
        act.run();
        return Duration.ofNanos(System.nanoTime() - start);
    }

    /// Runs `/bin/true` inside.
    static void answer(Sandbox sandbox) {
        try (GuestProcess process =
                sandbox.guest()
                        .start(
                                new ProcessRequest(
                                        List.of("/bin/true"),
                                        sandbox.environment(),
                                        "/",
                                        Optional.empty(),
                                        true))) {
            if (process.waitFor(DEADLINE).code() != 0) {
                throw new IllegalStateException("/bin/true failed in the sandbox");
            }
        } catch (TimeoutException e) {
            throw new IllegalStateException("/bin/true did not end in the sandbox", e);
        }
    }
}
