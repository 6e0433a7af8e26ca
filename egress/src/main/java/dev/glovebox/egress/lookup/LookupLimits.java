package dev.glovebox.egress.lookup;

import dev.glovebox.egress.EgressException;
import java.time.Duration;

/// What lookups of names cost at most.
///
/// @param ofDoor under way at a time for one door
/// @param ofAll under way at a time for all doors; a door that has none under way gets one all the
///   same
/// @param chosenNames different names that one sandbox chose below a pattern such as
///   `*.example.com` and that were looked up, during the life of its door
/// @param deadline of one lookup, whatever it takes
/// @param step longest wait for one answer of one name server
/// @param cached names whose addresses are remembered
/// @param longest time that addresses are remembered, however long their servers say
/// @param absent time for which it is remembered that a name has no address
public record LookupLimits(
        int ofDoor,
        int ofAll,
        int chosenNames,
        Duration deadline,
        Duration step,
        int cached,
        Duration longest,
        Duration absent) {
    /// Unless told otherwise.
    public static final LookupLimits DEFAULT =
            new LookupLimits(
                    16,
                    256,
                    256,
                    Duration.ofSeconds(5),
                    Duration.ofMillis(1500),
                    1024,
                    Duration.ofSeconds(60),
                    Duration.ofSeconds(5));

    public LookupLimits {
        positive(ofDoor, "of-door");
        positive(ofAll, "of-all");
        positive(chosenNames, "chosen-names");
        positive(deadline.toMillis(), "deadline");
        positive(step.toMillis(), "step");
        positive(cached, "cached");
        positive(longest.toMillis(), "longest");
        positive(absent.toMillis(), "absent");
    }

    private static void positive(long value, String key) {
        if (value <= 0) {
            throw new EgressException("lookup limit " + key + " is " + value + ", must be above 0");
        }
    }
}
