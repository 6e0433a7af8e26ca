package dev.glovebox.server.agent;

import dev.glovebox.server.http.Fields;
import tools.jackson.databind.node.ObjectNode;

/// Checks the members of an agent that a client sent and resolves them to the form in which the API
/// shows them: the model as an object, toolsets with every default spelt out.
@FunctionalInterface
public interface AgentRules {
    /// Checks and resolves.
    ///
    /// @param sent holds any of `model`, `system`, `tools`, `mcp_servers`, `skills`; other members
    ///   are left alone
    /// @return the same members, resolved
    /// @throws dev.glovebox.protocol.ProblemException when one is not acceptable (400)
    ObjectNode resolve(Fields sent);
}
