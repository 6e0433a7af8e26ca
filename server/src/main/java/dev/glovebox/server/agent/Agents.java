package dev.glovebox.server.agent;

import dev.glovebox.protocol.ProblemException;
import dev.glovebox.server.http.Fields;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.jdbi.v3.core.Handle;
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
        ObjectNode agent = AgentRows.require(handle, id, version);
        if (!agent.path("archived_at").isNull()) {
            throw ProblemException.invalid("agent " + id + " is archived");
        }
        agent.remove(NOT_IN_A_SNAPSHOT);
        overrides.ifPresent(sent -> override(agent, sent));
        return agent;
    }

    /// Replaces members of an agent: one that was sent replaces the whole value, `null` or an empty
    /// array clears it, one that was not sent stays.
    ///
    /// @throws ProblemException when the result would not be acceptable (400)
    public void override(ObjectNode agent, Fields sent) {
        agent.setAll(rules.resolve(sent));
        rules.mustFit(agent);
    }
}
