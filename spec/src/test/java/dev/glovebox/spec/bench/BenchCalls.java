package dev.glovebox.spec.bench;

import dev.glovebox.linux.Trees;
import dev.glovebox.sandbox.RuntimeName;
import dev.glovebox.sandbox.Sandbox;
import dev.glovebox.sandbox.SandboxConfig;
import dev.glovebox.sandbox.SandboxSpec;
import dev.glovebox.sandbox.Sandboxes;
import dev.glovebox.sandbox.guest.GuestProcess;
import dev.glovebox.sandbox.guest.ProcessRequest;
import dev.glovebox.spec.lab.Desk;
import dev.glovebox.spec.lab.Hands;
import dev.glovebox.spec.lab.Script;
import dev.glovebox.spec.lab.SourceTree;
import dev.glovebox.spec.lab.Talk;
import dev.glovebox.spec.lab.WorkerProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeoutException;

/// `./glovebox bench calls`: the official TypeScript worker and ours on the same control plane with
/// the same script.
///
/// Three measurements: from a call's event to its result's event over 200 `bash` echo calls of one
/// session; from the message that starts a session to its first result, on a worker that waits; and
/// a cold sandbox until its first command has answered, against the bare runtime running
/// `/bin/true`. Each kind is warmed up before it counts.
///
/// Arguments: `--calls N` (200), `--sessions N` (16), `--sandboxes N` (30), `--write` (also writes
/// `docs/benchmarks.md`).
public final class BenchCalls {
    private static final Duration DEADLINE = Duration.ofMinutes(3);
    private static final int WARM_UP = 5;

    private final int calls;
    private final int sessions;
    private final int sandboxes;
    private final List<String> lines = new ArrayList<>();

    private BenchCalls(int calls, int sessions, int sandboxes) {
        this.calls = calls;
        this.sessions = sessions;
        this.sandboxes = sandboxes;
    }

    /// Runs all of it.
    public static void main(String[] args) throws IOException {
        List<String> words = List.of(args);
        BenchCalls bench =
                new BenchCalls(
                        number(words, "--calls", 200),
                        number(words, "--sessions", 16),
                        number(words, "--sandboxes", 30));
        bench.run();
        if (words.contains("--write")) {
            Path file = SourceTree.root().resolve("docs/benchmarks.md");
            Files.createDirectories(file.getParent());
            Files.writeString(file, String.join("\n", bench.lines) + "\n");
        }
        System.exit(0);
    }

    private record Measured(Figures call, Figures first) {}

    private void run() throws IOException {
        line("# Benchmarks");
        line("");
        line(
                "Made by `./glovebox bench calls --write`; ratios travel between machines, times do not.");
        line("");
        line("Machine: " + machine());
        line("");
        Figures floor = floor();
        Measured official = measure(Hands.OFFICIAL);
        Measured own = measure(Hands.OWN);
        line("## The same script on the same control plane");
        line("");
        line(
                "The official worker is the `EnvironmentWorker` of `@anthropic-ai/sdk` 1.11.0 on Node 22 in a plain directory, without any"
                        + " sandbox; ours runs every call in a hardened sandbox. Both are watched by one client on the session's event stream:"
                        + " *call* is from `agent.tool_use` to `user.tool_result` over "
                        + calls
                        + " `echo` calls after "
                        + WARM_UP
                        + " such turns to warm up, *of which the worker* leaves out what a worker needs that answers at once ("
                        + Figures.millis(floor.percentile(0.5))
                        + ": control plane, disk, wire and watcher), *enqueue* is from sending the message of a new session to its first result on a waiting worker, over "
                        + sessions
                        + " sessions at random moments.");
        line("");
        line("| | official worker | ours | official / ours | aim |");
        line("|---|---|---|---|---|");
        row("call, p50", "<= 3 ms", official.call().percentile(0.5), own.call().percentile(0.5));
        row("call, p99", "<= 15 ms", official.call().percentile(0.99), own.call().percentile(0.99));
        Duration nothing = floor.percentile(0.5);
        row(
                "call, p50, of which the worker",
                "2 x",
                official.call().percentile(0.5).minus(nothing),
                own.call().percentile(0.5).minus(nothing));
        row(
                "enqueue to first result, p50",
                "<= 60 ms",
                official.first().percentile(0.5),
                own.first().percentile(0.5));
        row("enqueue to first result, mean", "20 x", official.first().mean(), own.first().mean());
        row(
                "enqueue to first result, p99 (slowest)",
                "",
                official.first().percentile(1),
                own.first().percentile(1));
        line("");
        coldStart();
    }

    private Measured measure(Hands hands) throws IOException {
        Path folder = Files.createTempDirectory("glovebox-bench-");
        try (Desk desk = Desk.open();
                WorkerProcess _ = hands.serving(desk, Duration.ofMillis(50), folder)) {
            return measure(desk);
        } finally {
            Trees.remove(folder);
        }
    }

    /// A worker that waits has waited for a while: sessions come at random moments, a few seconds
    /// apart.
    private Measured measure(Desk desk) {
        List<Duration> first = new ArrayList<>();
        Random moments = new Random(17);
        for (int i = 0; i <= sessions; i++) {
            pause(Duration.ofMillis(3000 + moments.nextInt(5000)));
            first.add(firstResult(desk));
        }
        return new Measured(script(desk, desk.talk()), new Figures(first.subList(1, first.size())));
    }

    private static void pause(Duration time) {
        try {
            Thread.sleep(time);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    private Duration firstResult(Desk desk) {
        Talk talk = desk.talk();
        try (Observer observer = new Observer(desk.baseUrl(), desk.apiKey(), talk.id())) {
            long start = System.nanoTime();
            talk.say(new Script().bash("echo first"));
            Duration time = Duration.ofNanos(observer.awaitFirstResult(DEADLINE) - start);
            observer.awaitTurn(DEADLINE);
            return time;
        }
    }

    /// The last of several equal turns on one session.
    private Figures script(Desk desk, Talk talk) {
        for (int i = 0; i < WARM_UP; i++) {
            turn(desk, talk);
        }
        return turn(desk, talk);
    }

    /// What the control plane, the wire and the watcher need for a call that costs nothing.
    private Figures floor() {
        try (Desk desk = Desk.open()) {
            Talk talk = desk.talk();
            try (InstantHands _ = new InstantHands(desk, talk)) {
                return script(desk, talk);
            }
        }
    }

    private Figures turn(Desk desk, Talk talk) {
        Script script = new Script();
        for (int i = 0; i < calls; i++) {
            script.bash("echo call " + i);
        }
        try (Observer observer = new Observer(desk.baseUrl(), desk.apiKey(), talk.id())) {
            talk.say(script);
            return new Figures(observer.awaitTurn(DEADLINE));
        }
    }

    private void coldStart() throws IOException {
        Path state = Files.createTempDirectory("glovebox-bench-");
        try (Sandboxes all = Sandboxes.open(SandboxConfig.in(state))) {
            List<Duration> times = new ArrayList<>();
            for (int i = 0; i <= sandboxes; i++) {
                long start = System.nanoTime();
                try (Sandbox sandbox = all.create(SandboxSpec.of("cold-" + i, List.of()))) {
                    answer(sandbox);
                    times.add(Duration.ofNanos(System.nanoTime() - start));
                }
            }
            RuntimeName runtime = all.runtime();
            Figures bare = BareRuntime.run(runtime, sandboxes);
            Figures ours = new Figures(times.subList(1, times.size()));
            line("## A cold sandbox");
            line("");
            line(
                    "Ours: namespaces, id-mapped mounts, cgroups, seccomp, `glovebox-init`, attestation, until `/bin/true` has answered in it."
                            + " Bare: `"
                            + runtime.program()
                            + " run` of `/bin/true` by its own example configuration. "
                            + sandboxes
                            + " each, one after another.");
            line("");
            line("| | bare " + runtime.program() + " | ours | ours / bare | aim |");
            line("|---|---|---|---|---|");
            coldRow("p50", "<= 2 x", bare.percentile(0.5), ours.percentile(0.5));
            coldRow("p99", "", bare.percentile(0.99), ours.percentile(0.99));
        } finally {
            Trees.remove(state);
        }
    }

    private static void answer(Sandbox sandbox) {
        GuestProcess process =
                sandbox.guest()
                        .start(
                                new ProcessRequest(
                                        List.of("/bin/true"),
                                        sandbox.environment(),
                                        "/",
                                        Optional.empty(),
                                        true));
        try {
            if (process.waitFor(DEADLINE).code() != 0) {
                throw new IllegalStateException("/bin/true failed in the sandbox");
            }
        } catch (TimeoutException e) {
            throw new IllegalStateException("/bin/true did not end in the sandbox", e);
        }
    }

    private void row(String name, String aim, Duration official, Duration own) {
        line(
                "| "
                        + String.join(
                                " | ",
                                name,
                                Figures.millis(official),
                                Figures.millis(own),
                                Figures.ratio(official, own),
                                aim)
                        + " |");
    }

    private void coldRow(String name, String aim, Duration bare, Duration own) {
        line(
                "| "
                        + String.join(
                                " | ",
                                name,
                                Figures.millis(bare),
                                Figures.millis(own),
                                Figures.ratio(own, bare),
                                aim)
                        + " |");
    }

    private void line(String text) {
        lines.add(text);
        System.out.println(text);
    }

    private static String machine() throws IOException {
        String memory =
                Files.readAllLines(Path.of("/proc/meminfo")).getFirst().replaceAll("\\D+", "");
        return String.format(
                Locale.ROOT,
                "%d cores, %d GiB, Linux %s, Java %s.",
                Runtime.getRuntime().availableProcessors(),
                Math.round(Long.parseLong(memory) / 1024.0 / 1024.0),
                System.getProperty("os.version"),
                Runtime.version());
    }

    private static int number(List<String> words, String option, int usual) {
        int at = words.indexOf(option);
        return at < 0 ? usual : Integer.parseInt(words.get(at + 1));
    }
}
