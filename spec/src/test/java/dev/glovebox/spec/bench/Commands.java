package dev.glovebox.spec.bench;

import dev.glovebox.sandbox.Limits;
import dev.glovebox.sandbox.RuntimeName;
import dev.glovebox.sandbox.Sandbox;
import dev.glovebox.sandbox.SandboxSpec;
import dev.glovebox.sandbox.Sandboxes;
import dev.glovebox.sandbox.Template;
import dev.glovebox.sandbox.guest.GuestProcess;
import dev.glovebox.sandbox.guest.ProcessRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// Commands in a living sandbox, and pauses of one: a part of [BenchSandbox].
final class Commands {
    private static final int TIMES_STARTS = 5;

    private final Report report;
    private final Sandboxes sandboxes;
    private final int starts;
    private final int passes;

    Commands(Report report, Sandboxes sandboxes, int starts, int passes) {
        this.report = report;
        this.sandboxes = sandboxes;
        this.starts = starts;
        this.passes = passes;
    }

    void exec() {
        int times = starts * TIMES_STARTS;
        report.section(
                "A command in a living sandbox",
                String.format(
                        Locale.ROOT,
                        "`/bin/true` from its start to its exit, medians of %d passes of %d each. The runtimes by their own `exec`, which Glovebox"
                                + " never calls, %d each, in a container of their example configuration; they and *no walls* from a shell.",
                        passes,
                        times,
                        starts),
                "",
                "p50",
                "p99",
                "glovebox / this, p50");
        try (Sandbox crun = sandbox("exec", RuntimeName.CRUN);
                Sandbox runsc = sandbox("exec-runsc", RuntimeName.RUNSC);
                Peer crunExec = Peer.exec("crun");
                Peer runcExec = Peer.exec("runc");
                Peer runscExec = Peer.gvisorExec();
                Peer none = Peer.none()) {
            List<Passes> found =
                    Passes.of(
                            passes,
                            List.of(
                                    () -> BenchSandbox.repeated(times, () -> answer(crun)),
                                    () -> crunExec.oneByOne(starts),
                                    () -> runcExec.oneByOne(starts),
                                    () -> BenchSandbox.repeated(starts, () -> answer(runsc)),
                                    () -> runscExec.oneByOne(starts),
                                    () -> none.oneByOne(times)));
            row("glovebox, crun or runc", found.get(0), "");
            row(crunExec.name(), found.get(1), over(found.get(0), found.get(1)));
            row(runcExec.name(), found.get(2), over(found.get(0), found.get(2)));
            row("glovebox, runsc", found.get(3), "");
            row(runscExec.name(), found.get(4), over(found.get(3), found.get(4)));
            row(none.name(), found.get(5), over(found.get(0), found.get(5)));
        }
        report.end();
    }

    void pauses() {
        report.section(
                "Pause and resume",
                String.format(
                        Locale.ROOT,
                        "Until the kernel has confirmed it, while a command is under way; %d each, and as many commands between them.",
                        starts),
                "",
                "p50",
                "p99");
        List<Duration> pauses = new ArrayList<>();
        List<Duration> resumes = new ArrayList<>();
        List<Duration> commands = new ArrayList<>();
        try (Sandbox sandbox = sandbox("pause", RuntimeName.CRUN);
                GuestProcess _ =
                        sandbox.guest()
                                .start(
                                        ProcessRequest.of(
                                                List.of("/bin/sleep", "100000"),
                                                sandbox.environment(),
                                                "/"))) {
            for (int i = 0; i < starts; i++) {
                pauses.add(BenchSandbox.timed(sandbox::pause));
                resumes.add(BenchSandbox.timed(sandbox::resume));
                commands.add(BenchSandbox.timed(() -> answer(sandbox)));
            }
        }
        pause("pause", new Figures(pauses));
        pause("resume", new Figures(resumes));
        pause("one command", new Figures(commands));
        report.end();
    }

    private Sandbox sandbox(String name, RuntimeName runtime) {
        return sandboxes.create(
                new SandboxSpec(
                        name,
                        Template.BASE.withRuntime(runtime),
                        List.of(),
                        Optional.empty(),
                        Limits.DEFAULT,
                        Map.of()));
    }

    private static void answer(Sandbox sandbox) {
        BenchSandbox.answer(sandbox);
    }

    private static String over(Passes ours, Passes these) {
        return Figures.ratio(ours.percentile(0.5), these.percentile(0.5));
    }

    private void row(String name, Passes these, String ratio) {
        report.row(
                name,
                Figures.millis(these.percentile(0.5)),
                Figures.millis(these.percentile(0.99)),
                ratio);
    }

    private void pause(String name, Figures these) {
        report.row(
                name,
                Figures.millis(these.percentile(0.5)),
                Figures.millis(these.percentile(0.99)));
    }
}
