package dev.glovebox.protocol.work;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.JsonException;
import dev.glovebox.protocol.Secret;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// The payload of a work item's `secret`: base64url (padding optional) of
/// `{"sessions_token":"..."}`.
///
/// @param sessionsToken credential for exactly this item and its session
public record WorkSecret(Secret sessionsToken) {

    /// The text for the `secret` member.
    public String encode() {
        String json = Json.write(Json.object().put("sessions_token", sessionsToken.reveal()));
        return Base64.getUrlEncoder()
                .withoutPadding()
                .encodeToString(json.getBytes(StandardCharsets.UTF_8));
    }

    /// Reads the `secret` member; empty when it is not what it should be, so that the caller can
    /// fall back.
    public static Optional<WorkSecret> decode(String secret) {
        try {
            byte[] json = Base64.getUrlDecoder().decode(secret.replaceAll("=+$", ""));
            JsonNode token = Json.read(json, JsonNode.class).get("sessions_token");
            return token != null && token.isString() && !token.stringValue().isEmpty()
                    ? Optional.of(new WorkSecret(new Secret(token.stringValue())))
                    : Optional.empty();
        } catch (IllegalArgumentException | JsonException _) {
            return Optional.empty();
        }
    }
}
