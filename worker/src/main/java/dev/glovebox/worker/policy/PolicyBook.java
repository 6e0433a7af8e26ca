package dev.glovebox.worker.policy;

import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.Networking;
import dev.glovebox.protocol.egress.PolicyException;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiConsumer;

/// All that an operator says about what sandboxes may reach, as it was at one time.
///
/// @param standard the policy of a session that wishes for no other
/// @param named policies that a session can wish for
/// @param ceiling what every policy is narrowed to
/// @param honoured what sessions may wish for
public record PolicyBook(
        EgressPolicy standard,
        Map<String, EgressPolicy> named,
        Networking ceiling,
        Set<Wish> honoured) {
    /// Nothing may be reached, and nothing wished for.
    public static final PolicyBook DENY_ALL = of(EgressPolicy.DENY_ALL);

    /// What the policy is called that no session wished for.
    static final String STANDARD = "default";

    public PolicyBook {
        named = Map.copyOf(named);
        honoured = Set.copyOf(honoured);
    }

    /// One policy for all.
    public static PolicyBook of(EgressPolicy policy) {
        return new PolicyBook(policy, Map.of(), new Networking.Unrestricted(), Set.of());
    }

    /// The policy of a session before anything is taken away from it.
    ///
    /// @throws SessionPolicyException if there is none of the name it wishes for
    EgressPolicy chosen(SessionWishes wishes) {
        if (wishes.policy().isEmpty()) {
            return standard;
        }
        EgressPolicy policy = named.get(wishes.policy().get());
        if (policy == null) {
            throw SessionWishes.unknown(wishes.policy().get());
        }
        return policy;
    }

    /// What is left of a policy for a session.
    ///
    /// @throws SessionPolicyException if that makes more rules than a policy may have
    EgressPolicy narrowed(EgressPolicy policy, SessionWishes wishes) {
        try {
            return wishes.networking().within(ceiling.within(policy));
        } catch (PolicyException e) {
            throw new SessionPolicyException(
                    "what the session's networking leaves of its policy cannot be used: "
                            + e.problems().getFirst());
        }
    }

    /// Gives every policy to the consumer, with its name.
    public void each(BiConsumer<String, EgressPolicy> consumer) {
        consumer.accept(STANDARD, standard);
        new TreeMap<>(named).forEach(consumer);
    }

    /// The policy of a name, the default one's included.
    Optional<EgressPolicy> find(String name) {
        return name.equals(STANDARD) ? Optional.of(standard) : Optional.ofNullable(named.get(name));
    }
}
