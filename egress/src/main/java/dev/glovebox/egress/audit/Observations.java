package dev.glovebox.egress.audit;

import dev.glovebox.egress.onward.Failure;
import dev.glovebox.protocol.egress.Destination;
import dev.glovebox.protocol.egress.Host;
import dev.glovebox.protocol.egress.HostName;
import dev.glovebox.protocol.egress.PolicyException;
import dev.glovebox.protocol.egress.Protocol;
import dev.glovebox.protocol.egress.learn.Observation;
import dev.glovebox.protocol.egress.learn.Proposal;
import dev.glovebox.protocol.egress.learn.Tally;
import dev.glovebox.protocol.egress.request.CanonicalPath;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/// What audit records say that sandboxes did, for a policy to be proposed from.
///
/// What a sandbox chose, such as a name or a path, is taken only in its canonical form. What could
/// not be dialled because it is no public place is not proposed, whoever let it pass.
public final class Observations {
    /// What the door says of what no rule speaks of.
    private static final String UNSPOKEN = "no rule allows ";

    private static final int DNS_PORT = 53;
    private static final Set<String> PASSED = Set.of("learn", "allow", "audit");

    private final Set<String> wanted;
    private final boolean refused;
    private final Tally tally = new Tally();
    private final Set<Destination> inner = new HashSet<>();
    private final Map<Destination, Long> unread = new HashMap<>();
    private final Map<Destination, Long> tls = new HashMap<>();
    private long records;

    /// @param allowed whether what rules allowed is looked at, and not only what was learned
    /// @param refused whether what was refused for want of a rule is looked at too
    public Observations(boolean allowed, boolean refused) {
        this.wanted = allowed ? PASSED : Set.of("learn");
        this.refused = refused;
    }

    /// Takes a record; others than those of connections and requests are passed over.
    public void add(JsonNode record) {
        String verdict = record.path("verdict").asString("");
        Optional<Destination> to = destination(record);
        if (to.isEmpty()) {
            return;
        }
        switch (record.path("event").asString("")) {
            case "found" -> {
                if (unread.containsKey(to.get())) {
                    tls.merge(to.get(), 1L, Long::sum);
                }
            }
            case "connection" -> connection(record, to.get(), verdict);
            case "request" -> request(record, to.get(), verdict);
            default -> {}
        }
    }

    /// How many records were of use.
    public long records() {
        return records;
    }

    /// What is proposed from all that was taken.
    ///
    /// @param merge whether hosts that one pattern means are put together
    public Proposal proposal(boolean merge) {
        unread.forEach((to, count) -> {
            Protocol protocol = tls.getOrDefault(to, 0L) >= count ? Protocol.TLS : Protocol.TCP;
            tally.add(new Observation.Connection(to, protocol), count);
        });
        unread.clear();
        inner.forEach(to -> tally.drop(to, Failure.NO_PUBLIC_ADDRESS));
        return Proposal.of(tally, merge);
    }

    private void connection(JsonNode record, Destination to, String verdict) {
        String reason = record.path("reason").asString("");
        if (reason.startsWith(Failure.NO_PUBLIC_ADDRESS)) {
            if (inner.size() < Tally.MOST) {
                inner.add(to);
            }
        } else if (wanted.contains(verdict)) {
            records++;
            Protocol protocol = protocol(record).orElse(Protocol.TCP);
            boolean room = unread.size() < Tally.MOST || unread.containsKey(to);
            if (protocol == Protocol.TCP && room) {
                unread.merge(to, 1L, Long::sum);
            } else {
                tally.add(new Observation.Connection(to, protocol));
            }
        } else if (refused && verdict.equals("deny")) {
            records++;
            refusal(to, reason);
        }
    }

    private void refusal(Destination to, String reason) {
        if (!reason.startsWith(UNSPOKEN)) {
            tally.leave(to + ", " + reason);
        } else if (to.port() == DNS_PORT && to.host() instanceof HostName) {
            tally.add(new Observation.Name(new Destination(to.host(), 443)));
        } else {
            tally.add(new Observation.Connection(to, Protocol.likelyOn(to.port())));
        }
    }

    private void request(JsonNode record, Destination to, String verdict) {
        boolean passed = wanted.contains(verdict);
        if (!passed && !(refused && verdict.equals("deny"))) {
            return;
        }
        records++;
        String reason = record.path("reason").asString("");
        if (!passed && !reason.startsWith(UNSPOKEN)) {
            tally.leave(to + ", " + reason);
            return;
        }
        Optional<Protocol> protocol = protocol(record).filter(Protocol::seesRequests);
        String method = record.path("method").asString("");
        try {
            CanonicalPath path = CanonicalPath.of(record.path("path").asString(""));
            if (protocol.isPresent() && !method.isEmpty()) {
                tally.add(new Observation.Request(to, protocol.get(), method, path));
            }
        } catch (PolicyException e) {
            tally.leave(to + ", a request that has no single meaning");
        }
    }

    private static Optional<Protocol> protocol(JsonNode record) {
        String text = record.path("protocol").asString("");
        return Stream.of(Protocol.values()).filter(each -> each.text().equals(text)).findFirst();
    }

    private static Optional<Destination> destination(JsonNode record) {
        try {
            return Optional.of(
                    new Destination(
                            Host.parse(record.path("host").asString("")),
                            record.path("port").asInt(0)));
        } catch (PolicyException e) {
            return Optional.empty();
        }
    }
}
