package dev.glovebox.egress;

import dev.glovebox.egress.credential.BoundCredential;
import dev.glovebox.egress.credential.CredentialException;
import dev.glovebox.egress.credential.CredentialStore;
import dev.glovebox.egress.wire.Allowance;
import dev.glovebox.protocol.egress.Budget;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.EgressRule;
import dev.glovebox.protocol.egress.HostPattern;
import dev.glovebox.protocol.egress.Protocol;
import dev.glovebox.protocol.egress.credential.Credential;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// What a door judges by at one time: a policy and the credentials of its rules, read together.
///
/// @param credentials what to add to requests, by rule name
/// @param allowances what is left of budgets, by rule name
/// @param store where credentials come from
record Terms(
        EgressPolicy policy,
        Map<String, BoundCredential> credentials,
        Map<String, Allowance> allowances,
        CredentialStore store) {
    Terms {
        credentials = Map.copyOf(credentials);
        allowances = Map.copyOf(allowances);
    }

    /// Nothing may be reached.
    static Terms none(CredentialStore store) {
        return new Terms(EgressPolicy.DENY_ALL, Map.of(), Map.of(), store);
    }

    /// The same with another policy. A credential, and a rule of the same name with the same
    /// budget, that was there before is taken over with what has been spent.
    ///
    /// @throws EgressException if one that is at hand cannot be read
    Terms with(EgressPolicy next) {
        Map<Credential, BoundCredential> bound = new HashMap<>();
        credentials.values().forEach(each -> bound.put(each.credential(), each));
        Map<String, BoundCredential> used = new HashMap<>();
        for (EgressRule rule : next.rules()) {
            Optional<Credential> credential = next.credentialOf(rule);
            if (credential.isPresent()) {
                BoundCredential each = bound.computeIfAbsent(credential.get(), store::bind);
                checked(each);
                used.put(rule.name(), each);
            }
        }
        return new Terms(next, used, allowances(next), store);
    }

    private Map<String, Allowance> allowances(EgressPolicy next) {
        Map<String, Allowance> made = new HashMap<>();
        for (EgressRule rule : next.rules()) {
            if (rule.budget().isPresent()) {
                Budget budget = rule.budget().get();
                Allowance before = allowances.get(rule.name());
                made.put(
                        rule.name(),
                        before != null && before.budget().equals(budget)
                                ? before
                                : new Allowance(
                                        "rule \"" + rule.name() + "\"",
                                        budget,
                                        InstantSource.system()));
            }
        }
        return made;
    }

    private static void checked(BoundCredential credential) {
        try {
            credential.check();
        } catch (CredentialException e) {
            throw new EgressException(String.valueOf(e.getMessage()));
        }
    }

    /// Names of the hosts where the door logs in over SSH.
    Set<String> sshHosts() {
        return policy.rules().stream()
                .filter(rule -> rule.protocol() == Protocol.SSH)
                .filter(rule -> rule.credential().isPresent())
                .map(EgressRule::host)
                .map(HostPattern::text)
                .collect(Collectors.toUnmodifiableSet());
    }

    Optional<Allowance> allowanceOf(EgressRule rule) {
        return Optional.ofNullable(allowances.get(rule.name()));
    }

    Optional<BoundCredential> credentialOf(EgressRule rule) {
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
