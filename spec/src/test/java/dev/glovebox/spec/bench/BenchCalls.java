package dev.glovebox.spec.bench;

import dev.glovebox.linux.Trees;
import dev.glovebox.spec.lab.Desk;
import dev.glovebox.spec.lab.Hands;
import dev.glovebox.spec.lab.Script;
import dev.glovebox.spec.lab.Talk;
import dev.glovebox.spec.lab.WorkerProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/// `./glovebox bench calls`: the official TypeScript worker and ours on the same control plane with
/// the same script.
///
/// Two measurements: from a call's event to its result's event over 200 `bash` echo calls of one
/// session, and from the message that starts a session to its first result, on a worker that waits.
/// Each kind is warmed up before it counts.
///
/// Arguments: `--calls N` (200), `--sessions N` (16), `--write` (also writes `docs/benchmarks.md`).
public final class BenchCalls {
    private static final Duration DEADLINE = Duration.ofMinutes(3);
    private static final int WARM_UP = 5;

    private final int calls;
    private final int sessions;
    private final Report report;

    private BenchCalls(int calls, int sessions) throws IOException {
        this.calls = calls;
        this.sessions = sessions;
        this.report = new Report("calls", "Tool calls");
    }

    /// Runs all of it.
    public static void main(String[] args) throws IOException {
        Options options = new Options(List.of(args));
        BenchCalls bench =
                new BenchCalls(options.number("--calls", 200), options.number("--sessions", 16));
        bench.run();
        if (options.write()) {
            bench.report.write();
        }
        System.exit(0);
    }

    private record Measured(Figures call, Figures first) {}

    private void run() throws IOException {
        Figures floor = floor();
        Measured official = measure(Hands.OFFICIAL);
        Measured own = measure(Hands.OWN);
        report.section(
                "The same script on the same control plane",
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
                        + " sessions at random moments.",
                "",
                "official worker",
                "ours",
                "official / ours",
                "aim");
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
        report.end();
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

    private void row(String name, String aim, Duration official, Duration own) {
        report.row(
                name,
                Figures.millis(official),
                Figures.millis(own),
                Figures.ratio(official, own),
                aim);
    }
}
