package dev.glovebox.server.agent;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.Problem;
import dev.glovebox.protocol.ProblemException;
import dev.glovebox.server.http.Fields;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.jdbi.v3.core.Handle;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// What sessions need of agents: one version of one, resolved, as a session keeps it.
public final class Agents {
    private static final Set<String> NOT_IN_A_SNAPSHOT =
            Set.of("metadata", "created_at", "updated_at", "archived_at");

    private final AgentRules rules;

    /// @param rules check and resolve what a session overrides
    public Agents(AgentRules rules) {
        this.rules = rules;
    }

    /// The agent as a new session keeps it.
    ///
    /// @param overrides members that replace the agent's own, `null` clearing them
    /// @throws ProblemException when there is no such agent or version (404), when it is archived,
    ///   or when an override is not acceptable (400)
    public ObjectNode snapshot(
            Handle handle, String id, OptionalLong version, Optional<Fields> overrides) {
        ObjectNode agent = load(handle, id, version);
        agent.remove(NOT_IN_A_SNAPSHOT);
        overrides.ifPresent(sent -> override(agent, sent));
        return agent;
    }

    private static ObjectNode load(Handle handle, String id, OptionalLong version) {
        String body =
                handle.createQuery(
                                """
                                SELECT v.body FROM agents a
                                JOIN agent_versions v ON v.agent_id = a.id
                                    AND v.version = coalesce(:version, a.version)
                                WHERE a.id = :id AND a.archived_at IS NULL
                                """)
                        .bind("id", id)
                        .bind("version", version.isPresent() ? version.getAsLong() : null)
                        .mapTo(String.class)
                        .findOne()
                        .orElseThrow(() -> missing(handle, id, version));
        return Json.read(body, ObjectNode.class);
    }

    private static ProblemException missing(Handle handle, String id, OptionalLong version) {
        Optional<Boolean> archived =
                handle.createQuery("SELECT archived_at FROM agents WHERE id = :id")
                        .bind("id", id)
                        .map((row, _) -> row.getString(1) != null)
                        .findOne();
        if (archived.isEmpty()) {
            return ProblemException.of(Problem.Kind.NOT_FOUND, "agent " + id + " does not exist");
        }
        return archived.get()
                ? ProblemException.invalid("agent " + id + " is archived")
                : ProblemException.of(
                        Problem.Kind.NOT_FOUND,
                        "agent " + id + " has no version " + version.orElse(0));
    }

    /// Replaces members of an agent: one that was sent replaces the whole value, `null` or an empty
    /// array clears it, one that was not sent stays.
    ///
    /// @throws ProblemException when the result would not be acceptable (400)
    public void override(ObjectNode agent, Fields sent) {
        if (sent.isNull("model")) {
            throw sent.refuse("model", "cannot be cleared");
        }
        ObjectNode resolved = rules.resolve(sent);
        for (String name : Set.of("model", "system", "tools", "mcp_servers", "skills")) {
            if (sent.has(name)) {
                JsonNode value = resolved.get(name);
                if (value != null && !value.isNull()) {
                    agent.set(name, value);
                } else if (name.equals("system")) {
                    agent.putNull(name);
                } else {
                    agent.putArray(name);
                }
            }
        }
        if (agent.path("tools").isEmpty() && !agent.path("skills").isEmpty()) {
            throw sent.refuse("tools", "cannot be cleared while the agent has skills");
        }
        agent.path("tools").forEach(tool -> mustReferToAServer(agent, tool, sent));
    }

    private static void mustReferToAServer(ObjectNode agent, JsonNode tool, Fields sent) {
        String server = tool.path("mcp_server_name").asString("");
        if (!server.isEmpty()
                && agent.path("mcp_servers")
                        .valueStream()
                        .noneMatch(s -> s.path("name").asString("").equals(server))) {
            throw sent.refuse(
                    "mcp_servers", "cannot be cleared while a toolset refers to " + server);
        }
    }
}
