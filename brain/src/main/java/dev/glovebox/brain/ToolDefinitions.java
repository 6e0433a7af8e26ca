package dev.glovebox.brain;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.agent.SessionAgent;
import dev.glovebox.protocol.agent.Tool;
import java.io.IOException;
import java.util.List;
import java.util.stream.Stream;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// An agent's tools as the `tools` of a Messages API request: the sandbox tools that its toolset
/// leaves enabled, then its custom tools. The web tools are the platform's own and are not offered,
/// nor are the tools of MCP servers.
///
/// Input names and types are those a worker takes; the descriptions are ours and are what a model
/// goes by.
final class ToolDefinitions {
    private static final List<ObjectNode> SANDBOX =
            Stream.of("bash", "read", "write", "edit", "glob", "grep")
                    .map(ToolDefinitions::read)
                    .toList();

    private ToolDefinitions() {}

    /// The `tools` array, empty when the agent has none.
    static ArrayNode of(SessionAgent agent) {
        ArrayNode tools = Json.object().putArray("tools");
        for (Tool tool : agent.tools()) {
            switch (tool) {
                case Tool.AgentToolset toolset ->
                        SANDBOX.stream()
                                .filter(t -> toolset.resolve(t.path("name").asString()).enabled())
                                .forEach(t -> tools.add(t.deepCopy()));
                case Tool.Custom custom ->
                        tools.addObject()
                                .put("name", custom.name())
                                .put("description", custom.description())
                                .set("input_schema", custom.inputSchema());
                case Tool.Other _ -> {}
            }
        }
        return tools;
    }

    private static ObjectNode read(String name) {
        try (var in = ToolDefinitions.class.getResourceAsStream("tools/" + name + ".json")) {
            if (in == null) {
                throw new BrainException("the definition of tool " + name + " is not in the jar");
            }
            return Json.read(in, ObjectNode.class);
        } catch (IOException e) {
            throw new BrainException("cannot read the definition of tool " + name, e);
        }
    }
}
