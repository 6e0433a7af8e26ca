package dev.glovebox.egress.lookup;

import dev.glovebox.protocol.egress.HostName;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Addresses of names, for as long as their servers say, and not longer than the limit says;
/// forgets the least used first. Thread-safe.
final class KnownNames {
    private final LookupLimits limits;
    private final InstantSource clock;
    private final Map<HostName, Known> names;

    /// @param addresses empty: the name has none
    private record Known(List<InetAddress> addresses, Instant until) {}

    KnownNames(LookupLimits limits, InstantSource clock) {
        this.limits = limits;
        this.clock = clock;
        this.names =
                new LinkedHashMap<>(16, 0.75f, true) {
                    private static final long serialVersionUID = 1L;

                    @Override
                    protected boolean removeEldestEntry(Map.Entry<HostName, Known> eldest) {
                        return size() > limits.cached();
                    }
                };
    }

    /// The addresses, an empty list if it is known to have none.
    synchronized Optional<List<InetAddress>> of(HostName name) {
        Known known = names.get(name);
        if (known == null) {
            return Optional.empty();
        }
        if (!clock.instant().isBefore(known.until())) {
            names.remove(name);
            return Optional.empty();
        }
        return Optional.of(known.addresses());
    }

    /// Remembers addresses, or that there are none.
    ///
    /// @param ttl how long they are good
    synchronized void put(HostName name, List<InetAddress> addresses, Duration ttl) {
        Duration most = addresses.isEmpty() ? limits.absent() : limits.longest();
        Duration kept = ttl.compareTo(most) < 0 ? ttl : most;
        if (kept.isPositive()) {
            names.put(name, new Known(List.copyOf(addresses), clock.instant().plus(kept)));
        }
    }
}
