package dev.glovebox.server.work;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;

/// Which workers polled lately. Kept in memory: after a restart it is right again within half a
/// minute.
final class PollerLog {
    private static final Duration WINDOW = Duration.ofSeconds(30);
    private static final int LIMIT = 10_000;

    private final Clock clock;
    private final Map<Poller, Instant> seen = new HashMap<>();

    PollerLog(Clock clock) {
        this.clock = clock;
    }

    private record Poller(String environmentId, String workerId) {}

    synchronized void note(String environmentId, String workerId) {
        Instant now = clock.instant();
        if (seen.size() >= LIMIT) {
            seen.values().removeIf(time -> time.isBefore(now.minus(WINDOW)));
        }
        if (seen.size() < LIMIT) {
            seen.put(new Poller(environmentId, workerId), now);
        }
    }

    synchronized long count(String environmentId) {
        Instant since = clock.instant().minus(WINDOW);
        seen.values().removeIf(time -> time.isBefore(since));
        return seen.keySet().stream().filter(p -> p.environmentId().equals(environmentId)).count();
    }
}
