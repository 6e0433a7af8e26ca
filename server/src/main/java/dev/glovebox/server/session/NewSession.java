package dev.glovebox.server.session;

import dev.glovebox.server.agent.Agents;
import dev.glovebox.server.agent.Environments;
import dev.glovebox.server.http.Fields;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import org.jdbi.v3.core.Handle;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// What a client asks for when it creates a session, checked in itself.
///
/// @param sent the body, for what depends on the store
record NewSession(
        Fields sent,
        String environmentId,
        AgentChoice agent,
        @Nullable String title,
        TreeMap<String, String> metadata,
        List<ClientEvent> initialEvents) {
    private static final int MAX_INITIAL_EVENTS = 50;
    private static final int MAX_RESOURCES = 508;
    private static final int MAX_VAULTS = 50;
    private static final Set<String> FIELDS =
            Set.of(
                    "agent",
                    "environment_id",
                    "title",
                    "metadata",
                    "resources",
                    "vault_ids",
                    "initial_events",
                    "budget");
    private static final Set<String> OVERRIDES =
            Set.of("type", "id", "version", "model", "system", "tools", "mcp_servers", "skills");

    /// Which agent, and what the session changes about it.
    record AgentChoice(String id, OptionalLong version, Optional<Fields> overrides) {}

    static NewSession of(Fields sent) {
        sent.only(FIELDS);
        String environmentId = sent.text("environment_id");
        if (!sent.texts("vault_ids", MAX_VAULTS).isEmpty()) {
            throw sent.refuse("vault_ids", "vaults are not supported by this control plane");
        }
        if (sent.has("budget") && !sent.isNull("budget")) {
            throw sent.refuse("budget", "budgets are not supported by this control plane");
        }
        TreeMap<String, String> metadata = new TreeMap<>();
        sent.metadata("metadata")
                .forEach((key, value) -> value.ifPresent(text -> metadata.put(key, text)));
        return new NewSession(
                sent,
                environmentId,
                agent(sent),
                sent.optionalText("title", 1024).orElse(null),
                metadata,
                initialEvents(sent));
    }

    private static AgentChoice agent(Fields sent) {
        JsonNode agent = sent.object().path("agent");
        if (agent.isString() && !agent.stringValue().isEmpty()) {
            return new AgentChoice(agent.stringValue(), OptionalLong.empty(), Optional.empty());
        }
        Fields object = sent.object("agent").orElseThrow(() -> sent.refuse("agent", "is required"));
        return switch (object.text("type")) {
            case "agent" -> {
                object.only(Set.of("type", "id", "version"));
                yield new AgentChoice(object.text("id"), version(object), Optional.empty());
            }
            case "agent_with_overrides" -> {
                object.only(OVERRIDES);
                yield new AgentChoice(object.text("id"), version(object), Optional.of(object));
            }
            default -> throw object.refuse("type", "must be agent or agent_with_overrides");
        };
    }

    private static OptionalLong version(Fields object) {
        return object.number("version", 1, Integer.MAX_VALUE);
    }

    private static List<ClientEvent> initialEvents(Fields sent) {
        List<ClientEvent> events = ClientEvent.all(sent, "initial_events", MAX_INITIAL_EVENTS);
        if (!events.stream().allMatch(ClientEvent.Message.class::isInstance)) {
            throw sent.refuse("initial_events", "must be of the type user.message");
        }
        return events;
    }

    /// Checks what depends on the environment.
    Environments.Facts checkEnvironment(Handle handle) {
        Environments.Facts facts = Environments.require(handle, environmentId);
        if (facts.archived()) {
            throw sent.refuse("environment_id", "the environment is archived");
        }
        for (Fields resource : sent.objects("resources", MAX_RESOURCES)) {
            String type = resource.text("type");
            if (facts.selfHosted() && Set.of("file", "github_repository").contains(type)) {
                throw dev.glovebox.protocol.ProblemException.invalid(
                        "Environment "
                                + environmentId
                                + " is a self-hosted environment. `resources` are not supported"
                                + " with self-hosted environments.");
            }
            throw resource.refuse("type", "is not supported by this control plane");
        }
        return facts;
    }

    /// The agent as the session will keep it.
    ObjectNode snapshot(Handle handle, Agents agents) {
        return agents.snapshot(handle, agent.id(), agent.version(), agent.overrides());
    }
}
