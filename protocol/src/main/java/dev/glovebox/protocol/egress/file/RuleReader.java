package dev.glovebox.protocol.egress.file;

import dev.glovebox.protocol.egress.Budget;
import dev.glovebox.protocol.egress.Cidr;
import dev.glovebox.protocol.egress.Decision.Verdict;
import dev.glovebox.protocol.egress.EgressRule;
import dev.glovebox.protocol.egress.Endpoint;
import dev.glovebox.protocol.egress.HostPattern;
import dev.glovebox.protocol.egress.PortRange;
import dev.glovebox.protocol.egress.Protocol;
import dev.glovebox.protocol.egress.Target;
import dev.glovebox.protocol.egress.credential.CredentialUse;
import dev.glovebox.protocol.egress.request.PathPattern;
import dev.glovebox.protocol.egress.request.RequestTerms;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;

/// Reads one rule of a policy file.
final class RuleReader {
    private static final List<Verdict> ACTIONS =
            Stream.of(Verdict.values()).filter(Verdict::isAction).toList();

    private RuleReader() {}

    static Optional<EgressRule> rule(Section section) {
        String name = section.required("name");
        Optional<HostPattern> host = host(section);
        Protocol protocol =
                section.choice("protocol", List.of(Protocol.values())).orElse(Protocol.TLS);
        List<PortRange> ports = ports(section, protocol);
        Optional<Verdict> action = section.choice("action", ACTIONS);
        if (action.isEmpty() && !section.has("action")) {
            section.problem("action", "is missing: write allow, deny, audit or ask");
        }
        Optional<Endpoint> connect = section.text("connect", Endpoint::parse);
        Optional<RequestTerms> requests = requests(section);
        Optional<CredentialUse> credential = credential(section);
        Optional<Budget> budget = section.inner("budget", RuleReader::budget);
        if (!section.isSound()) {
            return Optional.empty();
        }
        return section.build(() ->
                new EgressRule(
                        name,
                        new Target(host.orElseThrow(), ports),
                        protocol,
                        action.orElseThrow(),
                        connect,
                        requests,
                        credential,
                        budget));
    }

    private static Optional<HostPattern> host(Section section) {
        Optional<HostPattern> host = section.text("host", HostPattern::parse);
        Optional<HostPattern> block =
                section.text("cidr", text -> new HostPattern.Block(Cidr.parse(text)));
        if (section.has("host") == section.has("cidr")) {
            section.problem("host", "and cidr: exactly one of them is needed");
        }
        return host.or(() -> block);
    }

    private static List<PortRange> ports(Section section, Protocol protocol) {
        if (section.has("port") && section.has("ports")) {
            section.problem("port", "and ports: only one of them");
        }
        List<PortRange> ports = new ArrayList<>();
        section.scalar("port", PortRange::parse).ifPresent(ports::add);
        ports.addAll(section.scalars("ports", PortRange::parse));
        if (!section.has("port") && !section.has("ports")) {
            protocol.defaultPort().ifPresent(port -> ports.add(new PortRange(port, port)));
        }
        return ports;
    }

    private static Optional<RequestTerms> requests(Section section) {
        List<String> methods = section.scalars("methods", text -> text);
        List<PathPattern> paths = section.scalars("paths", PathPattern::new);
        boolean webSocket = section.flag("websocket");
        if (!section.has("methods") && !section.has("paths") && !webSocket) {
            return Optional.empty();
        }
        return section.build(() -> new RequestTerms(Set.copyOf(methods), paths, webSocket));
    }

    private static Optional<CredentialUse> credential(Section section) {
        Optional<String> name = section.text("credential", text -> text);
        boolean insecure = section.flag("insecure-credential");
        if (insecure && !section.has("credential")) {
            section.problem("insecure-credential", "is set but there is no credential");
        }
        return name.map(text -> new CredentialUse(text, insecure));
    }

    static Optional<Budget> budget(Section section) {
        Optional<Long> requests = section.scalar("requests", Quantities::count);
        Optional<Long> bytes = section.scalar("bytes", Quantities::bytes);
        Optional<Duration> per = section.text("per", Quantities::time);
        if (!section.has("per")) {
            section.problem("per", "is missing: write the time that the budget is for, such as 1h");
        }
        if (!section.isSound()) {
            return Optional.empty();
        }
        return section.build(
                () -> new Budget(optional(requests), optional(bytes), per.orElseThrow()));
    }

    private static OptionalLong optional(Optional<Long> value) {
        return value.map(OptionalLong::of).orElse(OptionalLong.empty());
    }
}
