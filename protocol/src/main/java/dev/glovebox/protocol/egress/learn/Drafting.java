package dev.glovebox.protocol.egress.learn;

import dev.glovebox.protocol.egress.Destination;
import dev.glovebox.protocol.egress.Host;
import dev.glovebox.protocol.egress.HostAddress;
import dev.glovebox.protocol.egress.HostPattern;
import dev.glovebox.protocol.egress.PortRange;
import dev.glovebox.protocol.egress.Protocol;
import dev.glovebox.protocol.egress.Target;
import dev.glovebox.protocol.egress.request.RequestLine;
import dev.glovebox.protocol.egress.request.RequestTerms;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// Makes drafts of rules out of observations.
///
/// Each destination has one protocol: a rule opens a connection for one, and no other is asked
/// then. Where two were seen, it is the one that passes both.
final class Drafting {
    private static final int MOST_NAMED = 12;
    private static final RequestTerms FETCHING =
            new RequestTerms(Set.of("GET", "HEAD"), List.of(), false);

    private final SortedMap<Observation, Long> counts;
    private final boolean merge;
    private final List<Draft> drafts = new ArrayList<>();

    /// @param merge whether hosts that one pattern means are put together
    Drafting(SortedMap<Observation, Long> counts, boolean merge) {
        this.counts = counts;
        this.merge = merge;
    }

    /// What was seen of one destination.
    private static final class Seen {
        private final EnumSet<Protocol> protocols = EnumSet.noneOf(Protocol.class);
        private final List<RequestLine> lines = new ArrayList<>();
        private long connections;
        private long requests;
        private long questions;

        void add(Observation observation, long count) {
            switch (observation) {
                case Observation.Connection(Destination _, Protocol protocol) -> {
                    protocols.add(protocol);
                    connections += count;
                }
                case Observation.Request request -> {
                    protocols.add(request.protocol());
                    lines.add(new RequestLine(request.method(), request.path(), false));
                    requests += count;
                }
                case Observation.Name _ -> questions += count;
            }
        }

        Protocol protocol() {
            if (protocols.isEmpty()) {
                return Protocol.TLS;
            }
            if (protocols.size() == 1) {
                return protocols.iterator().next();
            }
            return EnumSet.of(Protocol.TLS, Protocol.HTTPS).containsAll(protocols)
                    ? Protocol.TLS
                    : Protocol.TCP;
        }

        long count() {
            return connections + requests + questions;
        }
    }

    List<Draft> drafts() {
        Map<Destination, Seen> seen = new LinkedHashMap<>();
        counts.forEach((observation, count) ->
                seen.computeIfAbsent(observation.to(), _ -> new Seen()).add(observation, count));
        Map<Host, Map<Protocol, List<PortRange>>> unread = new LinkedHashMap<>();
        seen.forEach((to, one) -> {
            if (one.protocol().seesRequests()) {
                drafts.add(read(to, one));
            } else {
                unread.computeIfAbsent(to.host(), _ -> new TreeMap<>())
                        .computeIfAbsent(one.protocol(), _ -> new ArrayList<>())
                        .add(new PortRange(to.port(), to.port()));
            }
        });
        unread(unread, seen);
        return drafts;
    }

    private static Draft read(Destination to, Seen one) {
        List<String> notes = new ArrayList<>();
        notes.add(times(one));
        if (one.lines.isEmpty()) {
            notes.add("no request of it was seen: fetching is a guess");
        }
        address(to.host()).ifPresent(notes::add);
        List<Optional<RequestTerms>> terms =
                one.lines.isEmpty()
                        ? List.of(Optional.of(FETCHING))
                        : Paths.terms(one.lines).stream()
                                .map(Optional::of)
                                .map(each -> each.filter(found -> !found.equals(RequestTerms.ANY)))
                                .toList();
        return new Draft(
                new Target(
                        new HostPattern.Exact(to.host()),
                        List.of(new PortRange(to.port(), to.port()))),
                one.protocol(),
                terms,
                one.count(),
                notes);
    }

    /// Hosts of one protocol and the same ports.
    private record Kind(Protocol protocol, List<PortRange> ports) {}

    private void unread(
            Map<Host, Map<Protocol, List<PortRange>>> hosts, Map<Destination, Seen> seen) {
        Map<Kind, List<Host>> kinds = new HashMap<>();
        hosts.forEach((host, protocols) ->
                protocols.forEach((protocol, ports) ->
                        kinds.computeIfAbsent(
                                        new Kind(protocol, List.copyOf(ports)),
                                        _ -> new ArrayList<>())
                                .add(host)));
        kinds.forEach((kind, members) ->
                Hosts.together(members, merge)
                        .values()
                        .forEach(group -> drafts.add(unread(kind, group, seen))));
    }

    private static Draft unread(Kind kind, Hosts.Group group, Map<Destination, Seen> seen) {
        Seen sum = new Seen();
        for (Host host : group.members()) {
            for (PortRange port : kind.ports()) {
                Seen one = seen.get(new Destination(host, port.first()));
                if (one != null) {
                    sum.connections += one.connections;
                    sum.requests += one.requests;
                    sum.questions += one.questions;
                }
            }
        }
        List<String> notes = new ArrayList<>();
        String hosts = group.members().size() == 1 ? "" : " to " + named(group.members());
        notes.add(times(sum) + hosts);
        if (sum.connections == 0) {
            notes.add("only the name was asked for: port and protocol are a guess");
        }
        address(group.members().getFirst()).ifPresent(notes::add);
        return new Draft(
                new Target(group.pattern(), kind.ports()),
                kind.protocol(),
                List.of(Optional.empty()),
                sum.count(),
                notes);
    }

    private static Optional<String> address(Host host) {
        return host instanceof HostAddress
                ? Optional.of(
                        "an address, for which no name was asked: whoever has it next is reached too")
                : Optional.empty();
    }

    private static String named(List<Host> hosts) {
        String names =
                hosts.stream().limit(MOST_NAMED).map(Host::text).collect(Collectors.joining(", "));
        return hosts.size() > MOST_NAMED
                ? names + " and " + (hosts.size() - MOST_NAMED) + " more"
                : names;
    }

    private static String times(Seen one) {
        List<String> parts = new ArrayList<>();
        plural(parts, one.connections, "connection");
        plural(parts, one.requests, "request");
        plural(parts, one.questions, "question");
        return String.join(", ", parts);
    }

    private static void plural(List<String> parts, long count, String word) {
        if (count > 0) {
            parts.add(count + " " + word + (count == 1 ? "" : "s"));
        }
    }
}
