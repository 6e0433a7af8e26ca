package dev.glovebox.protocol.egress;

import java.util.Optional;

/// What the policy says to a destination, with the reason for the log, the answer and the event.
///
/// @param verdict allow or deny
/// @param rule the rule that decided; empty if none matched, which denies
/// @param reason one line for people
public record Decision(Verdict verdict, Optional<EgressRule> rule, String reason) {
    /// Allow or deny; there is nothing between.
    public enum Verdict {
        ALLOW,
        DENY
    }

    public Decision {
        if (verdict == Verdict.ALLOW && rule.isEmpty()) {
            throw new IllegalArgumentException("only a rule can allow");
        }
    }

    static Decision allow(EgressRule rule) {
        return new Decision(
                Verdict.ALLOW,
                Optional.of(rule),
                "rule \"" + rule.name() + "\" allows " + rule.protocol().text());
    }

    static Decision deny(EgressRule rule, String reason) {
        return new Decision(Verdict.DENY, Optional.of(rule), reason);
    }

    static Decision deny(String reason) {
        return new Decision(Verdict.DENY, Optional.empty(), reason);
    }

    /// Whether the destination may be reached.
    public boolean allowed() {
        return verdict == Verdict.ALLOW;
    }

    /// Name of the rule that decided, or `-`.
    public String ruleName() {
        return rule.map(EgressRule::name).orElse("-");
    }
}
