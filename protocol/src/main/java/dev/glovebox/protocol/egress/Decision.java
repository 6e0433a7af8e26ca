package dev.glovebox.protocol.egress;

import java.util.Locale;
import java.util.Optional;

/// What the policy says to a destination or a request, with the reason for the log, the answer and
/// the event.
///
/// @param verdict what becomes of it
/// @param rule the rule that decided; empty if none matched, which denies
/// @param reason one line for people
public record Decision(Verdict verdict, Optional<EgressRule> rule, String reason) {
    /// What becomes of a connection or a request.
    public enum Verdict {
        /// It passes.
        ALLOW,
        /// It does not.
        DENY,
        /// It passes and is marked in the audit record, for trying a rule out.
        AUDIT,
        /// It does not pass until the operator has said so.
        ASK,
        /// It passes and is marked in the audit record: no rule speaks of it, and the policy is one
        /// that learns what there is to allow. No rule has this for its action.
        LEARN;

        /// The spelling in a policy file.
        public String text() {
            return name().toLowerCase(Locale.ROOT);
        }

        /// Whether what gets this verdict passes.
        public boolean passes() {
            return this == ALLOW || this == AUDIT || this == LEARN;
        }

        /// Whether a rule of a policy file can have it for its action.
        public boolean isAction() {
            return this != LEARN;
        }
    }

    public Decision {
        if (verdict != Verdict.DENY && rule.isEmpty()) {
            throw new IllegalArgumentException("only a rule can allow");
        }
    }

    static Decision by(EgressRule rule) {
        String name = "rule \"" + rule.name() + "\"";
        String reason =
                switch (rule.action()) {
                    case ALLOW -> name + " allows " + rule.protocol().text();
                    case AUDIT -> name + " allows " + rule.protocol().text() + " on trial";
                    case ASK -> name + " lets it pass once the operator has approved it";
                    case DENY -> name + " denies it";
                    case LEARN -> "no rule speaks of it, and the policy learns";
                };
        return new Decision(rule.action(), Optional.of(rule), reason);
    }

    static Decision deny(EgressRule rule, String reason) {
        return new Decision(Verdict.DENY, Optional.of(rule), reason);
    }

    static Decision deny(String reason) {
        return new Decision(Verdict.DENY, Optional.empty(), reason);
    }

    /// Whether the destination may be reached.
    public boolean allowed() {
        return verdict.passes();
    }

    /// Name of the rule that decided, or `-`.
    public String ruleName() {
        return rule.map(EgressRule::name).orElse("-");
    }
}
