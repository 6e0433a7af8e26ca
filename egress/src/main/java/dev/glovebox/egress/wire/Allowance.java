package dev.glovebox.egress.wire;

import dev.glovebox.protocol.egress.Budget;
import java.time.Instant;
import java.time.InstantSource;

/// What is left of a budget in the window under way; the next begins with the first use after its
/// end. Thread-safe.
public final class Allowance {
    private final String whose;
    private final Budget budget;
    private final InstantSource clock;
    private Instant end = Instant.MIN;
    private long requests;
    private long bytes;

    /// @param whose for people, such as `rule "packages"`
    public Allowance(String whose, Budget budget, InstantSource clock) {
        this.whose = whose;
        this.budget = budget;
        this.clock = clock;
    }

    /// What is allowed.
    public Budget budget() {
        return budget;
    }

    /// Why nothing passes, once it is spent.
    public String refusal() {
        return "the budget of " + whose + " is spent for now";
    }

    /// Takes one request, login or connection.
    ///
    /// @return false if the budget is spent
    public synchronized boolean request() {
        if (spent()) {
            return false;
        }
        requests++;
        return true;
    }

    /// Takes bytes of something under way, sent or received.
    ///
    /// @return false if they were too many
    public synchronized boolean bytes(long more) {
        turn();
        bytes += more;
        return bytes <= budget.bytes().orElse(Long.MAX_VALUE);
    }

    /// Whether nothing more passes until the window has ended.
    public synchronized boolean spent() {
        turn();
        return requests >= budget.requests().orElse(Long.MAX_VALUE)
                || bytes >= budget.bytes().orElse(Long.MAX_VALUE);
    }

    private void turn() {
        Instant now = clock.instant();
        if (!now.isBefore(end)) {
            end = now.plus(budget.per());
            requests = 0;
            bytes = 0;
        }
    }
}
