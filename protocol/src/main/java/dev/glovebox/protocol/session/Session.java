package dev.glovebox.protocol.session;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.glovebox.protocol.agent.SessionAgent;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// A conversation of a person with an agent, and the place the agent works in.
///
/// @param agent the agent as it was when the session was made
/// @param resources what is mounted; an array even when empty, since workers iterate over it
@JsonIgnoreProperties(value = "type", allowGetters = true)
public record Session(
        String id,
        SessionAgent agent,
        String environmentId,
        @Nullable String title,
        SessionStatus status,
        List<ObjectNode> resources,
        List<String> vaultIds,
        Map<String, String> metadata,
        @Nullable ObjectNode budget,
        Usage usage,
        Stats stats,
        List<ObjectNode> outcomeEvaluations,
        Instant createdAt,
        Instant updatedAt,
        @Nullable Instant archivedAt) {

    /// The wire name.
    @JsonProperty("type")
    public String type() {
        return "session";
    }

    /// Time spent, in seconds.
    ///
    /// @param activeSeconds while running
    /// @param durationSeconds since creation
    public record Stats(double activeSeconds, double durationSeconds) {}
}
