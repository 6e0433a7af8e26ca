package dev.glovebox.protocol.agent;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// An agent as a session holds it: resolved at creation, no longer following the agent.
///
/// @param model `{id, effort, ...}`; [#modelId] is what most callers want
@JsonIgnoreProperties(value = "type", allowGetters = true)
public record SessionAgent(
        String id,
        long version,
        String name,
        @Nullable String description,
        ObjectNode model,
        @Nullable String system,
        List<Tool> tools,
        List<ObjectNode> mcpServers,
        List<ObjectNode> skills,
        @Nullable ObjectNode multiagent,
        ObjectNode executionIdentity) {

    /// The wire name.
    @JsonProperty("type")
    public String type() {
        return "agent";
    }

    /// The model's id, such as `glovebox-script`.
    public String modelId() {
        return model.path("id").asString("");
    }
}
