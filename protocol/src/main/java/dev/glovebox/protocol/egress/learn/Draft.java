package dev.glovebox.protocol.egress.learn;

import dev.glovebox.protocol.egress.Decision;
import dev.glovebox.protocol.egress.EgressRule;
import dev.glovebox.protocol.egress.HostPattern;
import dev.glovebox.protocol.egress.PortRange;
import dev.glovebox.protocol.egress.Protocol;
import dev.glovebox.protocol.egress.Target;
import dev.glovebox.protocol.egress.file.PolicyTree;
import dev.glovebox.protocol.egress.request.RequestTerms;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;

/// Rules to be proposed that belong together: one target, one protocol.
///
/// @param target which hosts and ports, the ports in order
/// @param terms a rule for each; an empty one speaks of the whole connection
/// @param count how often something was observed that they allow
/// @param notes for whoever reads them
record Draft(
        Target target,
        Protocol protocol,
        List<Optional<RequestTerms>> terms,
        long count,
        List<String> notes) {
    /// What was seen most often first.
    static final Comparator<Draft> OFTEN =
            Comparator.comparingLong(Draft::count).reversed().thenComparing(Draft::order);

    private static final int LONGEST_STEM = 56;

    Draft {
        terms = List.copyOf(terms);
        notes = List.copyOf(notes);
    }

    /// Exact hosts before patterns, which would decide for them.
    String order() {
        return (target.host() instanceof HostPattern.Exact ? "0 " : "1 ")
                + target.host().text()
                + " "
                + String.format(Locale.ROOT, "%05d", port());
    }

    private int port() {
        return target.ports().getFirst().first();
    }

    /// What its rules could be called.
    String stem() {
        String host = target.host().text().replace("*.", "any.").replace('/', '-');
        String plain = host.replaceAll("[^A-Za-z0-9._-]", "-").replaceAll("^[^A-Za-z0-9]+", "");
        boolean usual =
                target.ports()
                        .equals(
                                protocol.defaultPort().stream()
                                        .mapToObj(port -> new PortRange(port, port))
                                        .toList());
        String port = usual ? "" : "-" + port();
        return plain.substring(0, Math.min(plain.length(), LONGEST_STEM - port.length())) + port;
    }

    /// The names of its rules.
    List<String> names(String stem) {
        return IntStream.range(0, terms.size())
                .mapToObj(i -> i == 0 ? stem : stem + "." + (i + 1))
                .toList();
    }

    List<EgressRule> rules(String stem) {
        List<String> names = names(stem);
        List<EgressRule> rules = new ArrayList<>();
        for (int i = 0; i < terms.size(); i++) {
            rules.add(
                    new EgressRule(
                            names.get(i),
                            target,
                            protocol,
                            Decision.Verdict.ALLOW,
                            Optional.empty(),
                            terms.get(i),
                            Optional.empty(),
                            Optional.empty()));
        }
        return rules;
    }

    /// As it stands in a file.
    List<String> lines(List<EgressRule> rules) {
        List<String> lines = new ArrayList<>();
        notes.forEach(note -> lines.add("  # " + note));
        rules.forEach(rule -> lines.add("  - " + FlowYaml.line(PolicyTree.rule(rule))));
        return lines;
    }
}
