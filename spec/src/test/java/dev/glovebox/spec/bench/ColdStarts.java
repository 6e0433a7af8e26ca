package dev.glovebox.spec.bench;

import dev.glovebox.sandbox.Limits;
import dev.glovebox.sandbox.RuntimeName;
import dev.glovebox.sandbox.Sandbox;
import dev.glovebox.sandbox.SandboxSpec;
import dev.glovebox.sandbox.Sandboxes;
import dev.glovebox.sandbox.Template;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/// From nothing to the first answer, beside the bare runtimes and two other ways: the part of
/// [BenchSandbox] that is about starts.
final class ColdStarts {
    private static final int SLOW_SHARE = 5;

    private final Report report;
    private final Sandboxes sandboxes;
    private final int starts;
    private final int passes;
    private final Map<RuntimeName, List<Figures>> attestations = new EnumMap<>(RuntimeName.class);
    private int count;

    ColdStarts(Report report, Sandboxes sandboxes, int starts, int passes) {
        this.report = report;
        this.sandboxes = sandboxes;
        this.starts = starts;
        this.passes = passes;
    }

    void run() {
        report.section(
                "A cold start",
                String.format(
                        Locale.ROOT,
                        "From nothing until `/bin/true` has answered, one after another; medians of %d passes of %d starts each (gVisor and `srt`:"
                                + " %d), after %d that are not counted. Ours: namespaces, id-mapped mounts, cgroups, seccomp, `glovebox-init`,"
                                + " attestation. The others are started from a shell: `crun`, `runc` and `runsc` by their own example configuration"
                                + " (as root, no user namespace, no limits; `runsc` on `ptrace` without a network), `bwrap` with all namespaces, `srt`"
                                + " as `%s`.",
                        passes,
                        starts,
                        slow(),
                        BenchSandbox.WARM_UP,
                        Peer.SRT),
                "",
                "p50",
                "p99",
                "glovebox / this, p50",
                "aim");
        try (Peer crun = Peer.runtime("crun");
                Peer runc = Peer.runtime("runc");
                Peer runsc = Peer.gvisor();
                Peer bwrap = Peer.bubblewrap();
                Peer srt = Peer.sandboxRuntime()) {
            List<Supplier<Figures>> kinds =
                    List.of(
                            () -> ours(RuntimeName.CRUN, starts),
                            () -> crun.oneByOne(starts),
                            () -> ours(RuntimeName.RUNC, starts),
                            () -> runc.oneByOne(starts),
                            () -> ours(RuntimeName.RUNSC, slow()),
                            () -> runsc.oneByOne(slow()),
                            () -> bwrap.oneByOne(starts),
                            () -> srt.oneByOne(slow()));
            List<Passes> found = Passes.of(passes, kinds);
            pair("crun", found.get(0), crun, found.get(1));
            pair("runc", found.get(2), runc, found.get(3));
            pair("runsc", found.get(4), runsc, found.get(5));
            row(bwrap.name(), found.get(6), crunOver(found.get(0), found.get(6)), "");
            row(srt.name(), found.get(7), crunOver(found.get(0), found.get(7)), "");
        }
        report.end();
        attestation();
    }

    private void attestation() {
        report.section(
                "The attestation",
                "What of each of these starts went into looking at the sandbox, from inside and at its control group, and comparing.",
                "",
                "p50",
                "p99",
                "aim");
        attestations.forEach((runtime, runs) -> {
            Passes found = new Passes(runs);
            report.row(
                    runtime.program(),
                    Figures.millis(found.percentile(0.5)),
                    Figures.millis(found.percentile(0.99)),
                    runtime == RuntimeName.CRUN ? "<= 3 ms" : "");
        });
        report.end();
    }

    private int slow() {
        return Math.max(1, starts / SLOW_SHARE);
    }

    private void pair(String runtime, Passes ours, Peer bare, Passes these) {
        row("glovebox, " + runtime, ours, "", "");
        String ratio = Figures.ratio(ours.percentile(0.5), these.percentile(0.5));
        row(bare.name(), these, ratio, "<= 2 x");
    }

    private static String crunOver(Passes crun, Passes these) {
        return Figures.ratio(crun.percentile(0.5), these.percentile(0.5)) + " (with crun)";
    }

    private void row(String name, Passes these, String ratio, String aim) {
        report.row(
                name,
                Figures.millis(these.percentile(0.5)),
                Figures.millis(these.percentile(0.99)),
                ratio,
                aim);
    }

    private Figures ours(RuntimeName runtime, int times) {
        List<Duration> found = new ArrayList<>();
        List<Duration> looked = new ArrayList<>();
        Template template = Template.BASE.withRuntime(runtime);
        int warmUp = Math.min(BenchSandbox.WARM_UP, times);
        for (int i = 0; i < warmUp + times; i++) {
            long start = System.nanoTime();
            SandboxSpec spec =
                    new SandboxSpec(
                            "cold-" + count++,
                            template,
                            List.of(),
                            Optional.empty(),
                            Limits.DEFAULT,
                            Map.of());
            try (Sandbox sandbox = sandboxes.create(spec)) {
                BenchSandbox.answer(sandbox);
                found.add(Duration.ofNanos(System.nanoTime() - start));
                looked.add(sandbox.attestation().took());
            }
        }
        attestations
                .computeIfAbsent(runtime, _ -> new ArrayList<>())
                .add(new Figures(looked.subList(warmUp, looked.size())));
        return new Figures(found.subList(warmUp, found.size()));
    }
}
