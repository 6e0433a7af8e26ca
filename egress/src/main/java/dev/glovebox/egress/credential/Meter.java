package dev.glovebox.egress.credential;

import dev.glovebox.protocol.egress.Budget;
import java.time.Instant;
import java.time.InstantSource;

/// How much of a budget has been spent in the window under way; the next begins with the first
/// request after its end. Thread-safe.
final class Meter {
    private final Budget budget;
    private final InstantSource clock;
    private Instant end = Instant.MIN;
    private long requests;
    private long bytes;

    Meter(Budget budget, InstantSource clock) {
        this.budget = budget;
        this.clock = clock;
    }

    /// Takes one request.
    ///
    /// @return false if the budget is spent
    synchronized boolean request() {
        Instant now = clock.instant();
        if (!now.isBefore(end)) {
            end = now.plus(budget.per());
            requests = 0;
            bytes = 0;
        }
        if (requests >= budget.requests().orElse(Long.MAX_VALUE)
                || bytes >= budget.bytes().orElse(Long.MAX_VALUE)) {
            return false;
        }
        requests++;
        return true;
    }

    /// Takes bytes of a request under way or its answer.
    ///
    /// @return false if they were too many
    synchronized boolean bytes(long more) {
        bytes += more;
        return bytes <= budget.bytes().orElse(Long.MAX_VALUE);
    }
}
