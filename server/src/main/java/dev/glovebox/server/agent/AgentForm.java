package dev.glovebox.server.agent;

import dev.glovebox.protocol.Json;
import dev.glovebox.server.http.Fields;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// Puts what a client sent onto an agent: onto an empty one at its creation, onto the latest
/// version in an update. What was not sent stays as it is.
final class AgentForm {
    private static final int MAX_NAME = 256;
    private static final int MAX_DESCRIPTION = 2048;
    private static final int MAX_ROLE = 2048;
    private static final Set<String> MEMBERS =
            Set.of(
                    "name",
                    "description",
                    "model",
                    "system",
                    "tools",
                    "mcp_servers",
                    "skills",
                    "multiagent",
                    "execution_identity",
                    "metadata");

    private final AgentRules rules;

    AgentForm(AgentRules rules) {
        this.rules = rules;
    }

    /// The new agent that a request describes, without id, version and times.
    ObjectNode create(Fields sent) {
        sent.only(MEMBERS);
        sent.text("name");
        if (!sent.has("model")) {
            throw sent.refuse("model", "is required");
        }
        ObjectNode empty = Json.object().put("type", "agent").putNull("id");
        empty.putNull("name").putNull("description").putNull("model").putNull("system");
        empty.putArray("tools");
        empty.putArray("mcp_servers");
        empty.putArray("skills");
        empty.putNull("multiagent");
        empty.putObject("execution_identity").put("type", "service_account");
        empty.putObject("metadata");
        apply(empty, sent);
        return empty;
    }

    /// The agent as it is after an update; equal to the one before when nothing changes.
    ObjectNode update(ObjectNode latest, Fields sent) {
        sent.only(withVersion());
        ObjectNode updated = latest.deepCopy();
        apply(updated, sent);
        return updated;
    }

    private static Set<String> withVersion() {
        Set<String> members = new HashSet<>(MEMBERS);
        members.add("version");
        return members;
    }

    private void apply(ObjectNode agent, Fields sent) {
        if (sent.has("name")) {
            agent.put("name", AgentRules.required(sent, "name", MAX_NAME));
        }
        if (sent.has("description")) {
            agent.put(
                    "description",
                    sent.optionalText("description", MAX_DESCRIPTION)
                            .filter(d -> !d.isEmpty())
                            .orElse(null));
        }
        ObjectNode resolved = rules.resolve(sent);
        if (resolved.get("model") instanceof ObjectNode model) {
            ModelRules.keepEffort(sent, agent.path("model"), model);
        }
        agent.setAll(resolved);
        if (sent.has("multiagent") && !sent.isNull("multiagent")) {
            throw sent.refuse("multiagent", "is not supported by this control plane");
        }
        if (sent.has("execution_identity")) {
            agent.set("execution_identity", identity(sent));
        }
        Metadata.merge(agent, sent);
        rules.mustFit(agent);
    }

    private static JsonNode identity(Fields sent) {
        Optional<Fields> identity = sent.object("execution_identity");
        if (identity.isEmpty()) {
            return Json.object().put("type", "service_account");
        }
        Fields fields = identity.get();
        String type = AgentRules.mustBe(fields, "type", Set.of("service_account", "aws_role"));
        if (type.equals("service_account")) {
            fields.only(Set.of("type"));
            return Json.object().put("type", type);
        }
        fields.only(Set.of("type", "role_arn"));
        return Json.object()
                .put("type", type)
                .put("role_arn", AgentRules.required(fields, "role_arn", MAX_ROLE));
    }
}
