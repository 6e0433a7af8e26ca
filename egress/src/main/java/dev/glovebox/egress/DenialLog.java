package dev.glovebox.egress;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/// The last denials of one door. A client that tries the same thing again and again within a second
/// fills one line, not the log.
final class DenialLog {
    private static final Duration SAME = Duration.ofSeconds(1);

    private final int capacity;
    private final InstantSource clock;
    private final Deque<Denial> denials = new ArrayDeque<>();

    DenialLog(int capacity, InstantSource clock) {
        this.capacity = capacity;
        this.clock = clock;
    }

    synchronized void add(String destination, int port, String reason) {
        Denial denial = new Denial(clock.instant(), destination, port, reason);
        if (denials.stream().anyMatch(earlier -> repeats(denial, earlier))) {
            return;
        }
        if (denials.size() == capacity) {
            denials.removeFirst();
        }
        denials.addLast(denial);
    }

    private static boolean repeats(Denial denial, Denial earlier) {
        return earlier.port() == denial.port()
                && earlier.destination().equals(denial.destination())
                && earlier.reason().equals(denial.reason())
                && Duration.between(earlier.time(), denial.time()).compareTo(SAME) < 0;
    }

    synchronized List<Denial> since(Instant start) {
        return denials.stream().filter(denial -> !denial.time().isBefore(start)).toList();
    }
}
