package dev.glovebox.protocol.egress;

import dev.glovebox.protocol.egress.credential.CredentialUse;
import dev.glovebox.protocol.egress.request.RequestLine;
import dev.glovebox.protocol.egress.request.RequestTerms;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// One line of a policy: who may be reached on which ports, how, and what is added on the way.
///
/// @param name names the rule in answers and logs: letters, digits, `.`, `_`, `-`, at most 64
/// @param target which hosts on which ports
/// @param protocol what passes
/// @param action what becomes of it
/// @param connect where to dial instead of the host itself; may be any address
/// @param requests which requests the rule speaks of, where each is seen; empty: all that do not
///   become web sockets, and for a rule that denies, those too
/// @param credential what is added; only for one exact name
/// @param budget how much passes
public record EgressRule(
        String name,
        Target target,
        Protocol protocol,
        Decision.Verdict action,
        Optional<Endpoint> connect,
        Optional<RequestTerms> requests,
        Optional<CredentialUse> credential,
        Optional<Budget> budget) {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");

    /// The name of what stands for no rule; none that is written down can have it.
    private static final String NONE = "-";

    private static final Set<Protocol> TAKE_INSECURE =
            Set.of(Protocol.HTTP, Protocol.POSTGRES, Protocol.REDIS);

    /// Spoken by the door only to log in.
    private static final Set<Protocol> SPOKEN =
            Set.of(Protocol.SSH, Protocol.POSTGRES, Protocol.REDIS);

    public EgressRule {
        List<String> problems = new ArrayList<>();
        boolean learned = action == Decision.Verdict.LEARN;
        if (learned != name.equals(NONE)) {
            problems.add("learn is no action of a rule: write \"default: learn\" for the policy");
        } else if (!learned && !NAME.matcher(name).matches()) {
            problems.add("name " + Quoted.of(name) + " is not 1-64 letters, digits, . _ -");
        }
        if (action == Decision.Verdict.DENY
                && (connect.isPresent() || credential.isPresent() || budget.isPresent())) {
            problems.add("connect, credential and budget make no sense on a deny rule");
        }
        if (action != Decision.Verdict.DENY && target.host() instanceof HostPattern.Exact(Host h)) {
            unreachable(h).ifPresent(problems::add);
        }
        if (connect.isPresent() && target.host() instanceof HostPattern.Block) {
            problems.add("connect needs a host, not a cidr");
        }
        requests.ifPresent(terms -> {
            if (credential.isPresent() && SPOKEN.contains(protocol)) {
                terms.faultOn(protocol).ifPresent(problems::add);
            } else {
                checkRequests(terms, protocol, action, problems);
            }
        });
        if (budget.filter(b -> b.requests().isPresent()).isPresent() && !protocol.seesRequests()) {
            problems.add("budget.requests needs protocol http or https, which see requests");
        }
        credential.ifPresent(use -> checkCredential(use, target.host(), protocol, problems));
        if (!problems.isEmpty()) {
            throw new PolicyException(problems);
        }
    }

    private static Optional<String> unreachable(Host host) {
        if (host instanceof HostName name && name.isLocalhost()) {
            return Optional.of(
                    "host " + name + " is the sandbox itself; give the service a name and connect");
        }
        if (host instanceof HostAddress address) {
            return switch (address.kind()) {
                case LOOPBACK, UNSPECIFIED ->
                        Optional.of(
                                "host "
                                        + address
                                        + " is the sandbox itself; give the service a name and"
                                        + " connect");
                case SYNTHETIC, MULTICAST ->
                        Optional.of("host " + address + " is no destination a sandbox can have");
                default -> Optional.empty();
            };
        }
        return Optional.empty();
    }

    private static void checkRequests(
            RequestTerms terms, Protocol protocol, Decision.Verdict action, List<String> problems) {
        if (!protocol.seesRequests()) {
            problems.add(
                    "methods, paths and websocket need protocol http or https, or a credential: "
                            + protocol.text()
                            + " is passed through unread");
        }
        if (action == Decision.Verdict.ASK) {
            problems.add(
                    "ask is about a whole destination: leave methods, paths and websocket out");
        }
        if (action == Decision.Verdict.DENY && terms.webSocket()) {
            problems.add("a deny rule denies web sockets too: leave websocket out");
        }
    }

    private static void checkCredential(
            CredentialUse use, HostPattern host, Protocol protocol, List<String> problems) {
        if (!(host instanceof HostPattern.Exact(HostName _))) {
            problems.add("credential needs one exact host name");
        }
        if (protocol == Protocol.TLS || protocol == Protocol.TCP) {
            problems.add(
                    "credential needs a protocol that the door speaks, such as https: "
                            + protocol.text()
                            + " is passed through unread");
        } else if (use.insecure() && !TAKE_INSECURE.contains(protocol)) {
            problems.add(
                    "insecure-credential is set but "
                            + protocol.text()
                            + " never travels in the clear");
        } else if (!use.insecure() && protocol == Protocol.HTTP) {
            problems.add(
                    "credential would travel in the clear: set insecure-credential: true if that"
                            + " is meant");
        }
    }

    /// The same for other hosts, under a name of its own.
    EgressRule at(HostPattern other, int number) {
        return like(number == 0 ? "" : "." + number, new Target(other, ports()), action);
    }

    /// What allows one destination of this rule, which asks.
    EgressRule approved(Destination destination, int number) {
        return like(
                ".approved-" + number,
                new Target(
                        new HostPattern.Exact(destination.host()),
                        List.of(new PortRange(destination.port(), destination.port()))),
                Decision.Verdict.ALLOW);
    }

    private EgressRule like(String suffix, Target at, Decision.Verdict verdict) {
        String stem = name.substring(0, Math.min(name.length(), 64 - suffix.length()));
        return new EgressRule(
                stem + suffix, at, protocol, verdict, connect, requests, credential, budget);
    }

    /// What stands for the rule that is not there, where a policy learns.
    ///
    /// @param protocol how much of the connection is seen
    static EgressRule learned(Destination destination, Protocol protocol) {
        return new EgressRule(
                NONE,
                new Target(
                        new HostPattern.Exact(destination.host()),
                        List.of(new PortRange(destination.port(), destination.port()))),
                protocol,
                Decision.Verdict.LEARN,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
    }

    /// Whether this stands for a rule that is not there.
    public boolean isLearned() {
        return action == Decision.Verdict.LEARN;
    }

    /// Which hosts.
    public HostPattern host() {
        return target.host();
    }

    /// On which ports.
    public List<PortRange> ports() {
        return target.ports();
    }

    /// Whether this rule speaks of the destination. A block that allows never reaches past the
    /// public internet: a private address must be named.
    boolean covers(Destination destination) {
        return target.containsPort(destination.port()) && coversHost(destination.host());
    }

    boolean coversHost(Host other) {
        if (!host().matches(other)) {
            return false;
        }
        return action == Decision.Verdict.DENY
                || !(host() instanceof HostPattern.Block)
                || (other instanceof HostAddress address && address.kind() == AddressClass.PUBLIC);
    }

    /// Whether this rule denies some requests to its destinations and says nothing of the others.
    boolean deniesRequests() {
        return action == Decision.Verdict.DENY && requests.isPresent();
    }

    /// Whether this rule speaks of the request, on a connection of this protocol. What denies is
    /// never narrowed by its protocol.
    boolean speaksOf(RequestLine line, Protocol spoken) {
        if (action == Decision.Verdict.DENY) {
            return requests.isEmpty() || requests.get().names(line);
        }
        return protocol == spoken && requests.orElse(RequestTerms.ANY).fits(line);
    }

    /// Whether an address that the worker found for this rule's host may be dialled.
    ///
    /// An address the operator wrote down is dialled as it stands. A name the operator pinned with
    /// `connect` may lead to a private network. Any other name leads to the public internet only.
    public boolean mayDial(InetAddress found) {
        AddressClass kind = AddressClass.of(found);
        if (kind == AddressClass.PUBLIC) {
            return true;
        }
        boolean pinned = connect.map(Endpoint::host).orElse(null) instanceof HostName;
        return names(found)
                || (pinned && (kind == AddressClass.PRIVATE || kind == AddressClass.SHARED));
    }

    /// Whether the operator wrote down this very address, so that it may be one of the worker's
    /// own. A block names none of the addresses in it.
    public boolean names(InetAddress found) {
        Host written =
                connect.map(Endpoint::host)
                        .orElse(host() instanceof HostPattern.Exact(Host exact) ? exact : null);
        return !isLearned()
                && written instanceof HostAddress address
                && address.address().equals(found);
    }
}
