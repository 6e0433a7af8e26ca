package dev.glovebox.spec.bench;

import java.time.Duration;
import java.util.List;
import java.util.Locale;

/// Times of one kind, sorted.
record Figures(List<Duration> times) {
    Figures {
        times = times.stream().sorted().toList();
        if (times.isEmpty()) {
            throw new IllegalArgumentException("no times were measured");
        }
    }

    /// The time that a share of all stays under (nearest rank).
    ///
    /// @param share such as 0.99
    Duration percentile(double share) {
        int rank = (int) Math.ceil(share * times.size());
        return times.get(Math.clamp(rank - 1, 0, times.size() - 1));
    }

    /// Their sum by their number.
    Duration mean() {
        return times.stream().reduce(Duration.ZERO, Duration::plus).dividedBy(times.size());
    }

    /// Milliseconds for a table.
    static String millis(Duration time) {
        return String.format(Locale.ROOT, "%.2f ms", time.toNanos() / 1e6);
    }

    /// How many times longer the first takes, for a table.
    static String ratio(Duration longer, Duration shorter) {
        return String.format(Locale.ROOT, "%.1f x", (double) longer.toNanos() / shorter.toNanos());
    }
}
