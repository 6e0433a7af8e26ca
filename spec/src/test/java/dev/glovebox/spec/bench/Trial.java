package dev.glovebox.spec.bench;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// What was found of one lane, over all rounds. A figure is the median of its rounds; one that a
/// proxy could not give in any of them is missing.
final class Trial {
    static final int MANY = 64;
    static final int[] CONNECTIONS = {1, MANY, 512};

    private final Lane lane;
    private final Load load;
    private final Map<Integer, List<Load.Rate>> rates = new HashMap<>();
    private final List<Double> work = new ArrayList<>();
    private final List<Double> fresh = new ArrayList<>();
    private final List<Double> bodies = new ArrayList<>();

    Trial(Lane lane, Load load) {
        this.lane = lane;
        this.load = load;
    }

    Lane lane() {
        return lane;
    }

    private interface Run {
        void go() throws IOException;
    }

    /// A door that fails ends the benchmark, another proxy has no figure.
    private void attempt(Run run) throws IOException {
        try {
            run.go();
        } catch (IllegalStateException e) {
            if (!List.of(OtherProxies.MITMPROXY, OtherProxies.SQUID).contains(lane.name())) {
                throw e;
            }
            System.err.println(lane.name() + " fails: " + e.getMessage());
        }
    }

    void warmUp(int seconds) throws IOException {
        attempt(() -> {
            load.requests(lane, MANY, seconds);
            load.body(lane, EgressLab.LARGE, EgressLab.LARGE_BYTES);
        });
    }

    void requests(int connections, int seconds) throws IOException {
        attempt(() -> {
            Duration before = lane.worked().get();
            Load.Rate rate = load.requests(lane, connections, seconds);
            rates.computeIfAbsent(connections, _ -> new ArrayList<>()).add(rate);
            if (connections == MANY) {
                Duration worked = lane.worked().get().minus(before);
                work.add(worked.toNanos() / (rate.rate() * seconds));
            }
        });
    }

    void connections(int seconds) throws IOException {
        attempt(() -> fresh.add(load.connections(lane, MANY, seconds).rate()));
    }

    void body() throws IOException {
        attempt(() -> bodies.add(load.body(lane, EgressLab.LARGE, EgressLab.LARGE_BYTES)));
    }

    /// Requests a second.
    Optional<Double> rate(int connections) {
        return median(rates(connections).stream().map(Load.Rate::rate).toList());
    }

    /// Requests a second, each on a connection of its own.
    Optional<Double> fresh() {
        return median(fresh);
    }

    /// Bytes a second.
    Optional<Double> throughput() {
        return median(bodies);
    }

    /// Nanoseconds of processor time of what is between, for one request.
    Optional<Double> work() {
        return median(work);
    }

    /// Time of a request on the only connection.
    Duration p50() {
        return nanos(rates(1).stream().map(Load.Rate::p50).toList());
    }

    /// Time that 99 of 100 such requests stay under.
    Duration p99() {
        return nanos(rates(1).stream().map(Load.Rate::p99).toList());
    }

    private List<Load.Rate> rates(int connections) {
        return rates.getOrDefault(connections, List.of());
    }

    private static Duration nanos(List<Duration> times) {
        return times.isEmpty() ? Duration.ZERO : new Figures(times).percentile(0.5);
    }

    private static Optional<Double> median(List<Double> figures) {
        List<Double> sorted = figures.stream().sorted().toList();
        return sorted.isEmpty() ? Optional.empty() : Optional.of(sorted.get(sorted.size() / 2));
    }

    /// What part the first is of the second, for a table, with what was measured.
    static String share(Optional<Double> part, Optional<Double> whole, String format) {
        return part.isEmpty() || whole.isEmpty()
                ? "-"
                : String.format(
                        Locale.ROOT,
                        "%.0f %% (" + format + ")",
                        100 * part.get() / whole.get(),
                        part.get());
    }

    /// How many times the second the first is, for a table.
    static String times(Optional<Double> first, Optional<Double> second) {
        return first.isEmpty() || second.filter(figure -> figure > 0).isEmpty()
                ? "-"
                : String.format(Locale.ROOT, "%.1f x", first.get() / second.get());
    }
}
