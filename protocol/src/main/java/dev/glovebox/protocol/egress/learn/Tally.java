package dev.glovebox.protocol.egress.learn;

import dev.glovebox.protocol.egress.AddressClass;
import dev.glovebox.protocol.egress.Destination;
import dev.glovebox.protocol.egress.HostAddress;
import dev.glovebox.protocol.egress.HostName;
import java.util.Collections;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/// How often each thing was observed, and what was seen and is not to be proposed, with the reason.
/// Bounded: what comes after [#MOST] different things is only counted.
public final class Tally {
    /// Different things that are remembered.
    public static final int MOST = 100_000;

    private static final Set<String> NEVER = Set.of("CONNECT", "TRACE");

    private final SortedMap<Observation, Long> counts = new TreeMap<>(Observation.ORDER);
    private final SortedMap<String, Long> left = new TreeMap<>();
    private long beyond;

    /// An empty one.
    public Tally() {}

    /// Counts it once more; among what is not to be proposed if no proposal can allow it: what is
    /// not on a public address, and what never passes.
    public void add(Observation observation) {
        Optional<String> never = never(observation);
        if (never.isPresent()) {
            leave(observation.text() + ", " + never.get());
        } else if (counts.size() < MOST || counts.containsKey(observation)) {
            counts.merge(observation, 1L, Long::sum);
        } else {
            beyond++;
        }
    }

    private static Optional<String> never(Observation observation) {
        if (observation.to().host() instanceof HostAddress address
                && address.kind() != AddressClass.PUBLIC) {
            return Optional.of("not a public address");
        }
        if (observation.to().host() instanceof HostName name && name.isLocalhost()) {
            return Optional.of("the sandbox itself");
        }
        return observation instanceof Observation.Request request
                        && NEVER.contains(request.method())
                ? Optional.of("a method that is never passed on")
                : Optional.empty();
    }

    /// Counts something once more that is not to be proposed.
    ///
    /// @param what for people: where to, and why not
    public void leave(String what) {
        if (left.size() < MOST || left.containsKey(what)) {
            left.merge(what, 1L, Long::sum);
        } else {
            beyond++;
        }
    }

    /// Forgets all about a destination and counts it among what is not to be proposed.
    public void drop(Destination to, String reason) {
        if (counts.keySet().removeIf(one -> one.to().equals(to))) {
            leave(to + ", " + reason);
        }
    }

    SortedMap<Observation, Long> counts() {
        return Collections.unmodifiableSortedMap(counts);
    }

    SortedMap<String, Long> left() {
        return Collections.unmodifiableSortedMap(left);
    }

    /// Observations that came when there was no room for more different ones.
    long beyond() {
        return beyond;
    }
}
