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

    private static final int LONGEST = 300;
    private static final Set<String> NEVER = Set.of("CONNECT", "TRACE");

    private final SortedMap<Observation, Long> counts = new TreeMap<>(Observation.ORDER);
    private final SortedMap<String, Long> left = new TreeMap<>();
    private long beyond;

    /// An empty one.
    public Tally() {}

    /// Counts it so many times more; among what is not to be proposed if no proposal can allow it:
    /// what is not on a public address, and what never passes.
    public void add(Observation observation, long times) {
        Optional<String> never = never(observation);
        if (never.isPresent()) {
            leave(observation.text() + ", " + never.get(), times);
        } else if (counts.size() < MOST || counts.containsKey(observation)) {
            counts.merge(observation, times, Long::sum);
        } else {
            beyond += times;
        }
    }

    /// Counts it once more.
    public void add(Observation observation) {
        add(observation, 1);
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
        leave(what, 1);
    }

    private void leave(String what, long times) {
        String plain = printable(what);
        if (left.size() < MOST || left.containsKey(plain)) {
            left.merge(plain, times, Long::sum);
        } else {
            beyond += times;
        }
    }

    /// One line of ASCII: it becomes part of a comment, and what a sandbox chose may be in it.
    private static String printable(String text) {
        String cut = text.substring(0, Math.min(text.length(), LONGEST));
        return cut.replaceAll("[^ -~]", "?");
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
