package dev.glovebox.egress;

import dev.glovebox.egress.http.InjectedHeader;
import dev.glovebox.protocol.egress.Decision;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.EgressRule;
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
    /// these: by the same rule, dialled to the same place, with the same credential.
    boolean keep(Flow flow) {
        Decision decision = policy.decide(flow.destination());
        return decision.allowed()
                && decision.rule().filter(flow.rule()::equals).isPresent()
                && credentialOf(flow.rule()).equals(flow.credential());
    }
}
