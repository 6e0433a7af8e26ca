package dev.glovebox.egress;

import dev.glovebox.egress.http.InjectedHeader;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.EgressRule;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What a door judges by at one time: a policy and the credentials of its rules, read together.
///
/// @param credentials what to add to requests, by rule name
record Terms(EgressPolicy policy, Map<String, InjectedHeader> credentials) {
    Terms {
        credentials = Map.copyOf(credentials);
    }

    /// Reads the credentials of a policy.
    ///
    /// @throws EgressException if one cannot be read
    static Terms of(EgressPolicy policy) {
        return new Terms(policy, InjectedHeader.load(policy));
    }

    Optional<InjectedHeader> credentialOf(EgressRule rule) {
        return Optional.ofNullable(credentials.get(rule.name()));
    }

    /// Whether a connection that was allowed under other terms would be the same connection under
    /// these: the same rules have a say about it, with the same credentials.
    boolean keep(Flow flow) {
        List<EgressRule> rules = policy.rulesFor(flow.destination());
        return policy.decide(flow.destination()).allowed()
                && rules.equals(flow.terms().policy().rulesFor(flow.destination()))
                && rules.stream()
                        .allMatch(
                                rule -> credentialOf(rule).equals(flow.terms().credentialOf(rule)));
    }
}
