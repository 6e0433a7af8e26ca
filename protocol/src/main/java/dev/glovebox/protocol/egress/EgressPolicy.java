package dev.glovebox.protocol.egress;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// What a sandbox may reach. Rules are asked in order, the first that speaks of a destination
/// decides, and what no rule speaks of is denied.
///
/// @param rules in order, at most 1000, names unique
/// @param credentials that the rules refer to, names unique
public record EgressPolicy(List<EgressRule> rules, List<Credential> credentials) {
    /// Nothing may be reached.
    public static final EgressPolicy DENY_ALL = new EgressPolicy(List.of(), List.of());

    private static final int MAX_RULES = 1000;

    public EgressPolicy {
        rules = List.copyOf(rules);
        credentials = List.copyOf(credentials);
        List<String> problems = new ArrayList<>();
        if (rules.size() > MAX_RULES) {
            problems.add("rules are more than " + MAX_RULES);
        }
        Set<String> known = new HashSet<>();
        for (Credential credential : credentials) {
            if (!known.add(credential.name())) {
                problems.add("credential \"" + credential.name() + "\" is there twice");
            }
        }
        Set<String> names = new HashSet<>();
        for (EgressRule rule : rules) {
            if (!names.add(rule.name())) {
                problems.add("rule \"" + rule.name() + "\" is there twice");
            }
            rule.credential()
                    .filter(name -> !known.contains(name))
                    .ifPresent(name ->
                            problems.add(
                                    "rule \""
                                            + rule.name()
                                            + "\" names credential "
                                            + Quoted.of(name)
                                            + ", which is not there"));
        }
        if (!problems.isEmpty()) {
            throw new PolicyException(problems);
        }
    }

    /// Reads a policy written in YAML or JSON.
    ///
    /// @throws PolicyException listing everything that is wrong, each with its place
    public static EgressPolicy parse(String text) {
        return new PolicyReader().read(text);
    }

    /// What the policy says to a destination. Pure: no lookup, no clock.
    public Decision decide(Destination destination) {
        return rules.stream()
                .filter(rule -> rule.covers(destination))
                .findFirst()
                .map(EgressPolicy::byRule)
                .orElseGet(() -> Decision.deny("no rule allows " + destination));
    }

    private static Decision byRule(EgressRule rule) {
        return rule.action() == Decision.Verdict.ALLOW
                ? Decision.allow(rule)
                : Decision.deny(rule, "rule \"" + rule.name() + "\" denies it");
    }

    /// Whether a name is worth an address: some port of it is allowed.
    public boolean knows(HostName name) {
        return rules.stream()
                .filter(rule -> rule.action() == Decision.Verdict.ALLOW)
                .filter(rule -> rule.coversHost(name))
                .flatMap(rule -> rule.ports().stream())
                .anyMatch(range -> someAllowed(name, range));
    }

    /// Ports whose verdict can differ lie at the edges of the rules' ranges.
    private boolean someAllowed(HostName name, PortRange range) {
        return rules.stream()
                        .flatMap(rule -> rule.ports().stream())
                        .mapToInt(other -> other.last() + 1)
                        .filter(range::contains)
                        .anyMatch(port -> allows(name, port))
                || allows(name, range.first());
    }

    private boolean allows(HostName name, int port) {
        return decide(new Destination(name, port)).allowed();
    }

    /// The credential that a rule refers to.
    public Optional<Credential> credentialOf(EgressRule rule) {
        return credentials.stream()
                .filter(each -> rule.credential().filter(each.name()::equals).isPresent())
                .findFirst();
    }

    /// What the policy says to a URL (`http`, `https`, or `tcp://HOST:PORT`), for people.
    public Explanation explain(String url) {
        return Explanation.of(this, url);
    }
}
