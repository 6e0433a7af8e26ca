package dev.glovebox.protocol.egress;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/// One line of a policy: who may be reached on which ports, how, and what is added on the way.
///
/// @param name names the rule in answers and logs: letters, digits, `.`, `_`, `-`, at most 64
/// @param host which hosts
/// @param ports on which ports, not empty
/// @param protocol what passes
/// @param action allow or deny
/// @param connect where to dial instead of the host itself; may be any address
/// @param credential name of the credential to add to requests; only for one exact name over HTTP
/// @param insecureCredential the operator accepts that the credential travels in the clear; without
///   it a credential on an HTTP rule is refused
public record EgressRule(
        String name,
        HostPattern host,
        List<PortRange> ports,
        Protocol protocol,
        Decision.Verdict action,
        Optional<Endpoint> connect,
        Optional<String> credential,
        boolean insecureCredential) {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");

    public EgressRule {
        ports = List.copyOf(ports);
        List<String> problems = new ArrayList<>();
        if (!NAME.matcher(name).matches()) {
            problems.add("name " + Quoted.of(name) + " is not 1-64 letters, digits, . _ -");
        }
        if (ports.isEmpty()) {
            problems.add("port is missing: a tcp rule must name one");
        }
        if (action == Decision.Verdict.DENY && (connect.isPresent() || credential.isPresent())) {
            problems.add("connect and credential make no sense on a deny rule");
        }
        if (action == Decision.Verdict.ALLOW && host instanceof HostPattern.Exact(Host exact)) {
            unreachable(exact).ifPresent(problems::add);
        }
        if (connect.isPresent() && host instanceof HostPattern.Block) {
            problems.add("connect needs a host, not a cidr");
        }
        credentialFault(host, protocol, credential, insecureCredential).ifPresent(problems::add);
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

    private static Optional<String> credentialFault(
            HostPattern host, Protocol protocol, Optional<String> credential, boolean insecure) {
        if (credential.isEmpty()) {
            return insecure
                    ? Optional.of("insecure-credential is set but there is no credential")
                    : Optional.empty();
        }
        if (!(host instanceof HostPattern.Exact(HostName _))) {
            return Optional.of("credential needs one exact host name");
        }
        if (protocol != Protocol.HTTP) {
            return Optional.of("credential needs protocol http: tls is passed through unread");
        }
        return insecure
                ? Optional.empty()
                : Optional.of(
                        "credential would travel in the clear: set insecure-credential: true if"
                                + " that is meant");
    }

    /// Whether this rule speaks of the destination. A block that allows never reaches past the
    /// public internet: a private address must be named.
    boolean covers(Destination destination) {
        return ports.stream().anyMatch(range -> range.contains(destination.port()))
                && coversHost(destination.host());
    }

    boolean coversHost(Host other) {
        if (!host.matches(other)) {
            return false;
        }
        return action == Decision.Verdict.DENY
                || !(host instanceof HostPattern.Block)
                || (other instanceof HostAddress address && address.kind() == AddressClass.PUBLIC);
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
        Host written = connect.map(Endpoint::host).orElse(null);
        if (written == null) {
            return host instanceof HostPattern.Exact(HostAddress address)
                    && address.address().equals(found);
        }
        return switch (written) {
            case HostAddress address -> address.address().equals(found);
            case HostName _ -> kind == AddressClass.PRIVATE || kind == AddressClass.SHARED;
        };
    }
}
