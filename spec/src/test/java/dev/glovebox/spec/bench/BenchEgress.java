package dev.glovebox.spec.bench;

import dev.glovebox.egress.Door;
import dev.glovebox.egress.Doors;
import dev.glovebox.egress.EgressConfig;
import dev.glovebox.protocol.egress.EgressPolicy;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// `./glovebox bench egress`: the door beside nothing at all, mitmproxy and squid, between the same
/// clients and the same server on a loopback of its own.
///
/// All lanes take turns within a round, so what disturbs the machine for a while disturbs all, and
/// a figure is the median of its rounds.
///
/// Arguments: `--rounds N` (5), `--quick` (one short round), `--write` (also writes
/// `docs/benchmarks.md`).
public final class BenchEgress {
    private static final String PER_SECOND = "%.0f/s";
    private static final String NONE = "";

    private final EgressLab lab;
    private final OtherProxies others;
    private final Report report;
    private final int rounds;

    /// Seconds of a run of few connections.
    private final int seconds;

    private final List<Trial> trials = new ArrayList<>();

    private BenchEgress(EgressLab lab, OtherProxies others, Options options) throws IOException {
        this.lab = lab;
        this.others = others;
        this.report = new Report("egress", "The door");
        this.rounds = options.quick() ? 1 : options.number("--rounds", 5);
        this.seconds = options.quick() ? 1 : 3;
    }

    /// Runs all of it.
    public static void main(String[] args) throws IOException {
        Options options = new Options(List.of(args));
        try (EgressLab lab = EgressLab.open();
                OtherProxies others = OtherProxies.start(lab)) {
            BenchEgress bench = new BenchEgress(lab, others, options);
            bench.measure();
            bench.tables();
            new IdleMemory(bench.report, lab, others).run(options.quick() ? 50 : 200);
            bench.openings(options.quick() ? 50 : 300);
            if (options.write()) {
                bench.report.write();
            }
        }
        System.exit(0);
    }

    private void measure() throws IOException {
        Load load = new Load(lab.folder());
        for (Lane lane : lanes()) {
            trials.add(new Trial(lane, load));
        }
        for (Trial trial : trials) {
            run(trial, () -> trial.warmUp(2 * seconds));
        }
        for (int i = 0; i < rounds; i++) {
            for (int connections : Trial.CONNECTIONS) {
                int time = connections > Trial.MANY ? 2 * seconds : seconds;
                for (Trial trial : trials) {
                    run(trial, () -> trial.requests(connections, time));
                }
            }
            for (Trial trial : trials) {
                run(trial, trial::body);
                if (trial.lane().kind() == Lane.Kind.HTTPS) {
                    run(trial, () -> trial.connections(seconds));
                }
            }
        }
    }

    private List<Lane> lanes() throws IOException {
        return List.of(
                lab.direct(Lane.Kind.CLEAR),
                lab.door(Lane.Kind.CLEAR, "tcp", false),
                lab.door(Lane.Kind.CLEAR, "http", false),
                lab.door(Lane.Kind.CLEAR, "http", true),
                lab.direct(Lane.Kind.HTTPS),
                lab.door(Lane.Kind.HTTPS, "tls", false),
                lab.door(Lane.Kind.HTTPS, "https", false),
                lab.door(Lane.Kind.HTTPS, "https", true),
                lab.unrecorded(),
                others.mitmproxy(Lane.Kind.HTTPS),
                others.squid(),
                lab.direct(Lane.Kind.HTTP2),
                lab.door(Lane.Kind.HTTP2, "tls", false),
                lab.door(Lane.Kind.HTTP2, "https", false),
                lab.door(Lane.Kind.HTTP2, "https", true),
                others.mitmproxy(Lane.Kind.HTTP2));
    }

    private interface Run {
        void go() throws IOException;
    }

    private void run(Trial trial, Run run) throws IOException {
        boolean redirected = trial.lane().name().equals(OtherProxies.SQUID);
        if (redirected) {
            others.redirect(true);
        }
        try {
            run.go();
        } finally {
            if (redirected) {
                others.redirect(false);
            }
        }
    }

    private Trial find(Lane.Kind kind, String name) {
        return trials.stream()
                .filter(each -> each.lane().kind() == kind && each.lane().name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private Trial injecting(Lane.Kind kind) {
        return find(kind, EgressLab.INJECTING);
    }

    private void tables() {
        for (Lane.Kind kind : Lane.Kind.values()) {
            beside(kind);
        }
        proxies();
    }

    private void beside(Lane.Kind kind) {
        report.section(
                kind.text() + ", beside nothing between",
                "Requests a second for an answer of 1 KiB on connections that stay, and the throughput of a body of 1 GiB, in percent of the same"
                        + " without anything between; what the median and the slowest hundredth of requests on one connection wait longer;"
                        + " and the processor time of what is between for a request, at 64 connections. "
                        + explanation(kind)
                        + " Medians of "
                        + rounds
                        + (rounds == 1 ? " round." : " rounds."),
                "",
                "1 connection",
                "64 connections",
                "512 connections",
                "1 GiB",
                "added, p50",
                "added, p99",
                "processor",
                "aim");
        Trial direct = find(kind, EgressLab.DIRECT);
        for (Trial each : trials) {
            if (each.lane().kind() == kind) {
                row(each, direct);
            }
        }
        report.end();
    }

    private static String explanation(Lane.Kind kind) {
        return switch (kind) {
            case CLEAR ->
                    "`wrk` and `curl` in the door's namespace; one nginx with one process on the same loopback.";
            case HTTPS ->
                    "Under `https` the door ends TLS, records the request on disk before it passes it on, adds the credential and searches the answer"
                            + " for it; it speaks HTTP/2 to the server. mitmproxy (reverse) and squid (intercepting, ssl-bump) replace the same header, and"
                            + " verify the server by the same root.";
            case HTTP2 -> "`h2load` with one request at a time on a connection.";
        };
    }

    private void row(Trial each, Trial direct) {
        boolean none = each == direct;
        String name = each.lane().name();
        report.row(
                name,
                Trial.share(each.rate(1), direct.rate(1), PER_SECOND),
                Trial.share(each.rate(64), direct.rate(64), PER_SECOND),
                Trial.share(each.rate(512), direct.rate(512), PER_SECOND),
                Trial.share(
                        each.throughput().map(bytes -> bytes / 1e6),
                        direct.throughput().map(bytes -> bytes / 1e6),
                        "%.0f MB/s"),
                none ? NONE : added(each.p50(), direct.p50()),
                none ? NONE : added(each.p99(), direct.p99()),
                none ? NONE : each.work().map(BenchEgress::micros).orElse("-"),
                aim(name));
    }

    private static String aim(String name) {
        return name.equals("door, `tcp`")
                ? "1 GiB >= 60 %, p50 <= 1 ms"
                : name.startsWith("door") ? "p50 <= 1 ms" : NONE;
    }

    private static String added(Duration with, Duration without) {
        return with.isZero() ? "-" : Figures.millis(with.minus(without));
    }

    private static String micros(double nanos) {
        return String.format(Locale.ROOT, "%.0f us", nanos / 1e3);
    }

    private void proxies() {
        report.section(
                "Beside other proxies that end TLS",
                "How many times what the other does a door does under `https` with a credential, which besides records each request on disk before"
                        + " it passes it on, asks a policy, and searches the answer. *New connections*: one request on each, with `Connection: close`,"
                        + " 64 at a time. Debian's mitmproxy and squid, each as it comes, one process; where there is no figure it did not answer.",
                "door / this",
                "1 connection",
                "64 connections",
                "512 connections",
                "new connections",
                "1 GiB",
                "processor, this / door",
                "aim");
        proxy(find(Lane.Kind.HTTPS, OtherProxies.MITMPROXY), "64 connections >= 5 x");
        proxy(find(Lane.Kind.HTTPS, OtherProxies.SQUID), NONE);
        proxy(find(Lane.Kind.HTTP2, OtherProxies.MITMPROXY), "64 connections >= 5 x");
        report.end();
        report.section(
                "A connection for each request",
                "HTTP/1.1 in TLS with `Connection: close`, 64 at a time, in percent of the same without anything between.",
                "",
                "new connections");
        Trial direct = find(Lane.Kind.HTTPS, EgressLab.DIRECT);
        for (Trial each : trials) {
            if (each.lane().kind() == Lane.Kind.HTTPS) {
                report.row(
                        each.lane().name(), Trial.share(each.fresh(), direct.fresh(), PER_SECOND));
            }
        }
        report.end();
    }

    private void proxy(Trial other, String aim) {
        Trial door = injecting(other.lane().kind());
        report.row(
                other.lane().name() + ", " + other.lane().kind().text(),
                Trial.times(door.rate(1), other.rate(1)),
                Trial.times(door.rate(64), other.rate(64)),
                Trial.times(door.rate(512), other.rate(512)),
                Trial.times(door.fresh(), other.fresh()),
                Trial.times(door.throughput(), other.throughput()),
                Trial.times(other.work(), door.work()),
                aim);
    }

    private void openings(int times) {
        report.section(
                "Opening a door",
                "Until its namespace can be joined, with the roots of this host, one after another, "
                        + times
                        + " after as many that are not counted; and closing each.",
                "",
                "p50",
                "p99");
        List<Duration> opened = new ArrayList<>();
        List<Duration> closed = new ArrayList<>();
        try (Doors doors = Doors.open(EgressConfig.at(lab.folder().resolve("openings")))) {
            for (int i = 0; i < 2 * times; i++) {
                long start = System.nanoTime();
                Door door = doors.open("door-" + i, EgressPolicy.DENY_ALL);
                opened.add(Duration.ofNanos(System.nanoTime() - start));
                start = System.nanoTime();
                door.close();
                closed.add(Duration.ofNanos(System.nanoTime() - start));
            }
        }
        times("open", new Figures(opened.subList(times, 2 * times)));
        times("close", new Figures(closed.subList(times, 2 * times)));
        report.end();
    }

    private void times(String name, Figures figures) {
        report.row(
                name,
                Figures.millis(figures.percentile(0.5)),
                Figures.millis(figures.percentile(0.99)));
    }
}
