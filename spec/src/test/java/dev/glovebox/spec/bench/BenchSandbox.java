package dev.glovebox.spec.bench;

import dev.glovebox.linux.Trees;
import dev.glovebox.sandbox.Limits;
import dev.glovebox.sandbox.Mount;
import dev.glovebox.sandbox.RuntimeName;
import dev.glovebox.sandbox.Sandbox;
import dev.glovebox.sandbox.SandboxConfig;
import dev.glovebox.sandbox.SandboxSpec;
import dev.glovebox.sandbox.Sandboxes;
import dev.glovebox.sandbox.Template;
import dev.glovebox.sandbox.guest.GuestProcess;
import dev.glovebox.sandbox.guest.ProcessRequest;
import dev.glovebox.sandbox.guest.WriteOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeoutException;

/// `./glovebox bench sandbox`: how fast sandboxes start and answer, and how many can be, each
/// figure beside a peer or the host itself in the same run.
///
/// Arguments: `--sandboxes N` (100 starts of each kind), `--idle N` (1,000 alive at once), `--burst
/// N` (50 at once), `--write` (also writes `docs/benchmarks.md`).
public final class BenchSandbox implements AutoCloseable {
    private static final Duration DEADLINE = Duration.ofMinutes(3);
    private static final int SLOW_PEER_SHARE = 5;

    /// Starts before what is measured, as in a worker that has run for a while: until then the JVM
    /// compiles.
    static final int WARM_UP = 50;

    private static final int KIBI = 1024;
    private static final WriteOptions PLAIN = new WriteOptions(false, 0600, false);

    private final int starts;
    private final Report report = new Report("sandbox", "Sandboxes");
    private final Path folder = Files.createTempDirectory("glovebox-bench-");
    private final Sandboxes sandboxes;
    private final Map<RuntimeName, List<Duration>> attestations = new EnumMap<>(RuntimeName.class);

    private BenchSandbox(Options options) throws IOException {
        this.starts = options.number("--sandboxes", 100);
        this.sandboxes = Sandboxes.open(SandboxConfig.in(folder.resolve("state")));
    }

    /// Runs all of it.
    public static void main(String[] args) throws IOException {
        Options options = new Options(List.of(args));
        try (BenchSandbox bench = new BenchSandbox(options)) {
            bench.cold();
            bench.attestation();
            new WarmClaims(bench.report, bench.sandboxes, bench.folder).run(bench.starts * 2);
            bench.commands();
            bench.files();
            new Crowd(bench.report, bench.sandboxes).run(options);
            if (options.write()) {
                bench.report.write();
            }
        }
        System.exit(0);
    }

    @Override
    public void close() {
        sandboxes.close();
        Trees.remove(folder);
    }

    private void cold() {
        report.section(
                "A cold start",
                "From nothing until `/bin/true` has answered, one after another, after "
                        + WARM_UP
                        + " that are not counted. Ours: namespaces, id-mapped mounts, cgroups, seccomp,"
                        + " `glovebox-init`, attestation. The peers are started from a shell; `crun`, `runc` and `runsc` by their own example"
                        + " configuration (as root, no user namespace, no limits), `bwrap` with all namespaces, `srt` as its README does.",
                "",
                "p50",
                "p99",
                "glovebox with crun / this, p50",
                "aim");
        Figures ours = ours(RuntimeName.CRUN, starts);
        coldRow("glovebox, crun", ours, ours, "");
        coldRow("glovebox, runc", ours(RuntimeName.RUNC, starts), ours, "");
        coldRow("glovebox, runsc", ours(RuntimeName.RUNSC, starts / SLOW_PEER_SHARE), ours, "");
        peer(Peer.runtime("crun"), starts, ours, "<= 2 x");
        peer(Peer.runtime("runc"), starts, ours, "");
        peer(Peer.gvisor(), starts / SLOW_PEER_SHARE, ours, "");
        peer(Peer.bubblewrap(), starts, ours, "");
        peer(Peer.sandboxRuntime(), starts / SLOW_PEER_SHARE, ours, "");
        report.end();
    }

    private void attestation() {
        report.section(
                "The attestation",
                "What of each of these starts went into looking at the sandbox, from inside and at its control group, and comparing.",
                "",
                "p50",
                "p99",
                "aim");
        attestations.forEach((runtime, times) -> {
            Figures figures = new Figures(times);
            report.row(
                    runtime.program(),
                    millis(figures, 0.5),
                    millis(figures, 0.99),
                    runtime == RuntimeName.CRUN ? "<= 3 ms" : "");
        });
        report.end();
    }

    private void peer(Peer peer, int times, Figures ours, String aim) {
        try (peer) {
            peer.oneByOne(1);
            coldRow(peer.name(), peer.oneByOne(times), ours, aim);
        }
    }

    private void coldRow(String name, Figures these, Figures ours, String aim) {
        report.row(
                name,
                Figures.millis(these.percentile(0.5)),
                Figures.millis(these.percentile(0.99)),
                Figures.ratio(ours.percentile(0.5), these.percentile(0.5)),
                aim);
    }

    private Figures ours(RuntimeName runtime, int times) {
        List<Duration> found = new ArrayList<>();
        List<Duration> looked = new ArrayList<>();
        Template template = Template.BASE.withRuntime(runtime);
        int warmUp = Math.min(WARM_UP, times);
        for (int i = 0; i < warmUp + times; i++) {
            long start = System.nanoTime();
            SandboxSpec spec =
                    new SandboxSpec(
                            "cold-" + i,
                            template,
                            List.of(),
                            Optional.empty(),
                            Limits.DEFAULT,
                            Map.of());
            try (Sandbox sandbox = sandboxes.create(spec)) {
                answer(sandbox);
                found.add(Duration.ofNanos(System.nanoTime() - start));
                looked.add(sandbox.attestation().took());
            }
        }
        attestations.put(runtime, looked.subList(warmUp, looked.size()));
        return new Figures(found.subList(warmUp, found.size()));
    }

    private void commands() {
        report.section(
                "A command in a living sandbox",
                "`/bin/true` from its start to its exit; and the same by the runtime's own `exec`, which Glovebox never calls, and on the host"
                        + " from a shell.",
                "",
                "p50",
                "p99",
                "glovebox / this, p50");
        try (Sandbox sandbox = sandboxes.create(SandboxSpec.of("exec", List.of()));
                Peer none = Peer.none()) {
            int times = starts * 5;
            Figures ours = repeated(times, () -> answer(sandbox));
            exec("glovebox", ours, ours);
            exec("no walls", none.oneByOne(times), ours);
        }
        report.end();
        report.section(
                "Pause and resume",
                "Until the kernel has confirmed it, beside one command.",
                "",
                "p50",
                "p99");
        try (Sandbox sandbox = sandboxes.create(SandboxSpec.of("pause", List.of()))) {
            List<Duration> pauses = new ArrayList<>();
            List<Duration> resumes = new ArrayList<>();
            for (int i = 0; i < starts; i++) {
                pauses.add(timed(sandbox::pause));
                resumes.add(timed(sandbox::resume));
                answer(sandbox);
            }
            Figures pause = new Figures(pauses);
            Figures resume = new Figures(resumes);
            report.row("pause", millis(pause, 0.5), millis(pause, 0.99));
            report.row("resume", millis(resume, 0.5), millis(resume, 0.99));
        }
        report.end();
    }

    private static String millis(Figures figures, double share) {
        return Figures.millis(figures.percentile(share));
    }

    private void exec(String name, Figures these, Figures ours) {
        report.row(
                name,
                millis(these, 0.5),
                millis(these, 0.99),
                Figures.ratio(ours.percentile(0.5), these.percentile(0.5)));
    }

    private void files() throws IOException {
        report.section(
                "Files",
                "Written and read in `/workspace` by the worker through `glovebox-init`, as the agent's own user, beside the same with"
                        + " `java.nio.file.Files` on the same disk as root. Not synced, p50.",
                "",
                "write, host",
                "write",
                "ratio",
                "read, host",
                "read",
                "ratio");
        Path workspace = Files.createDirectory(folder.resolve("workspace"));
        Files.setAttribute(workspace, "unix:uid", 1000);
        Files.setAttribute(workspace, "unix:gid", 1000);
        Mount mount = new Mount(workspace, "/workspace", false);
        try (Sandbox sandbox = sandboxes.create(SandboxSpec.of("files", List.of(mount)))) {
            size(sandbox, workspace, 4 * KIBI, starts * 2, "4 KiB");
            size(sandbox, workspace, KIBI * KIBI, starts, "1 MiB");
            size(sandbox, workspace, 100 * KIBI * KIBI, Math.max(3, starts / 20), "100 MiB");
        }
        report.end();
    }

    private void size(Sandbox sandbox, Path workspace, int size, int times, String name) {
        byte[] content = new byte[size];
        Path host = workspace.resolve("host");
        Figures hostWrite = repeated(times, () -> write(host, content));
        Figures write =
                repeated(times, () -> sandbox.guest().write("/workspace/own", content, PLAIN));
        Figures hostRead = repeated(times, () -> read(host, size));
        Figures read =
                repeated(
                        times,
                        () -> whole(sandbox.guest().read("/workspace/own", 0, size).length, size));
        report.row(
                name,
                millis(hostWrite, 0.5),
                millis(write, 0.5),
                Figures.ratio(write.percentile(0.5), hostWrite.percentile(0.5)),
                millis(hostRead, 0.5),
                millis(read, 0.5),
                Figures.ratio(read.percentile(0.5), hostRead.percentile(0.5)));
    }

    private static void write(Path file, byte[] content) {
        try {
            Files.write(
                    file.resolveSibling("new"),
                    content,
                    StandardOpenOption.CREATE,
                    StandardOpenOption.WRITE);
            Files.move(
                    file.resolveSibling("new"), file, java.nio.file.StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void read(Path file, int size) {
        try {
            whole(Files.readAllBytes(file).length, size);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void whole(int read, int size) {
        if (read != size) {
            throw new IllegalStateException(
                    String.format(Locale.ROOT, "%d of %d bytes were read", read, size));
        }
    }

    private static Figures repeated(int times, Runnable act) {
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
