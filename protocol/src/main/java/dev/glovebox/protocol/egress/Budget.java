package dev.glovebox.protocol.egress;

import java.time.Duration;
import java.util.OptionalLong;

/// How much passes in a time; what is over is refused until the time is over.
///
/// @param requests how many, at least 1
/// @param bytes in both directions together, at least 1
/// @param per counted anew each time this has passed, 1 second to 31 days
public record Budget(OptionalLong requests, OptionalLong bytes, Duration per) {
    private static final Duration LEAST = Duration.ofSeconds(1);
    private static final Duration MOST = Duration.ofDays(31);

    public Budget {
        if (requests.isEmpty() && bytes.isEmpty()) {
            throw new PolicyException("budget needs requests or bytes");
        }
        if (requests.orElse(1) < 1 || bytes.orElse(1) < 1) {
            throw new PolicyException("budget is below 1: deny instead");
        }
        if (per.compareTo(LEAST) < 0 || per.compareTo(MOST) > 0) {
            throw new PolicyException("per is not within 1s-31d");
        }
    }
}
