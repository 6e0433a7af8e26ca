package dev.glovebox.worker.policy;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.JsonException;
import dev.glovebox.protocol.egress.Networking;
import dev.glovebox.protocol.egress.PolicyException;
import dev.glovebox.protocol.egress.Quoted;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// What a session's metadata asks of its network.
///
/// A wish that cannot be granted as it stands is refused, and the session with it: to pass over one
/// would give the session more than it asked for.
///
/// @param policy the name of the policy it wishes for
/// @param networking what it wishes to be left of it
public record SessionWishes(Optional<String> policy, Networking networking) {
    /// Nothing is wished.
    static final SessionWishes NONE =
            new SessionWishes(Optional.empty(), new Networking.Unrestricted());

    private static final int LONGEST = 16 * 1024;

    /// Reads the metadata of a session.
    ///
    /// @param book says what may be wished for
    /// @throws SessionPolicyException if it asks for what it cannot have, or nobody can say what
    static SessionWishes of(JsonNode metadata, PolicyBook book) {
        if (metadata.isMissingNode() || metadata.isNull()) {
            return NONE;
        }
        if (!metadata.isObject()) {
            throw new SessionPolicyException("the session's metadata is not an object");
        }
        for (String key : metadata.propertyNames()) {
            check(key, book);
        }
        Optional<String> policy = text(metadata, Wish.POLICY);
        policy.ifPresent(name -> {
            if (book.find(name).isEmpty() || name.equals(PolicyBook.STANDARD)) {
                throw unknown(name);
            }
        });
        return new SessionWishes(
                policy,
                text(metadata, Wish.NETWORKING)
                        .map(SessionWishes::networking)
                        .orElse(NONE.networking()));
    }

    static SessionPolicyException unknown(String name) {
        return new SessionPolicyException(
                "the session's metadata asks for the policy "
                        + Quoted.of(name)
                        + ", which this worker does not have");
    }

    private static void check(String key, PolicyBook book) {
        if (!key.startsWith(Wish.PREFIX)) {
            return;
        }
        for (Wish wish : Wish.values()) {
            if (key.equals(wish.key())) {
                if (book.honoured().contains(wish)) {
                    return;
                }
                throw new SessionPolicyException(
                        "the session's metadata has "
                                + key
                                + ", which this worker's operator has not enabled");
            }
        }
        throw new SessionPolicyException(
                "the session's metadata has " + Quoted.of(key) + ", which is no wish there is");
    }

    private static Optional<String> text(JsonNode metadata, Wish wish) {
        JsonNode value = metadata.path(wish.key());
        if (value.isMissingNode()) {
            return Optional.empty();
        }
        if (!value.isString() || value.asString().length() > LONGEST) {
            throw new SessionPolicyException(
                    "the session's metadata has a " + wish.key() + " that is no text");
        }
        return Optional.of(value.asString());
    }

    private static Networking networking(String json) {
        try {
            return Networking.of(Json.tree(json));
        } catch (JsonException e) {
            throw new SessionPolicyException(
                    "the session's " + Wish.NETWORKING.key() + " is not JSON");
        } catch (PolicyException e) {
            throw new SessionPolicyException(
                    "the session's " + Wish.NETWORKING.key() + ": " + e.problems().getFirst());
        }
    }
}
