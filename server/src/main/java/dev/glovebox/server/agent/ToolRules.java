package dev.glovebox.server.agent;

import dev.glovebox.protocol.Json;
import dev.glovebox.server.http.Fields;
import java.util.HashSet;
import java.util.Set;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// The `tools` member: toolsets ([ToolsetRules]) and custom tools.
final class ToolRules {
    static final String AGENT_TOOLSET = "agent_toolset_20260401";

    /// Every tool of the agent toolset.
    static final Set<String> BUILT_IN =
            Set.of("bash", "edit", "read", "write", "glob", "grep", "web_fetch", "web_search");

    private static final int MAX_ENTRIES = 128;
    private static final int MAX_TOOLS = 256;
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-]{1,128}");
    private static final Pattern PROPERTY = Pattern.compile("[A-Za-z0-9_.-]{1,64}");

    private ToolRules() {}

    static ArrayNode resolve(Fields sent) {
        ArrayNode tools = Json.object().putArray("tools");
        Set<String> names = new HashSet<>();
        int count = 0;
        for (Fields tool : sent.objects("tools", MAX_ENTRIES)) {
            String type = tool.text("type");
            ObjectNode resolved =
                    switch (type) {
                        case AGENT_TOOLSET -> ToolsetRules.agentToolset(tool);
                        case "mcp_toolset" -> ToolsetRules.mcpToolset(tool);
                        case "custom" -> custom(tool);
                        default -> throw tool.refuse("type", type + " is not a kind of tool");
                    };
            if (!names.add(identity(resolved))) {
                throw tool.refuse("type", identity(resolved) + " is there twice");
            }
            count += type.equals(AGENT_TOOLSET) ? BUILT_IN.size() : 1;
            count += type.equals("mcp_toolset") ? resolved.path("configs").size() : 0;
            tools.add(resolved);
        }
        if (count > MAX_TOOLS) {
            throw sent.refuse("tools", "must have at most " + MAX_TOOLS + " tools in all");
        }
        return tools;
    }

    /// What an agent can have only one of.
    private static String identity(ObjectNode tool) {
        String type = tool.path("type").asString("");
        return switch (type) {
            case "custom" -> "custom tool " + tool.path("name").asString("");
            case "mcp_toolset" -> "mcp_toolset of " + tool.path("mcp_server_name").asString("");
            default -> type;
        };
    }

    private static ObjectNode custom(Fields tool) {
        tool.only(Set.of("type", "name", "description", "input_schema"));
        String name = tool.text("name");
        if (!NAME.matcher(name).matches()) {
            throw tool.refuse("name", "must be 1 to 128 letters, digits, _ or -");
        }
        if (BUILT_IN.contains(name) || name.startsWith("mcp__")) {
            throw tool.refuse("name", name + " is taken by a tool of the platform");
        }
        String description = tool.text("description");
        Fields schema =
                tool.object("input_schema")
                        .orElseThrow(() -> tool.refuse("input_schema", "is required"));
        check(schema);
        ObjectNode resolved = Json.object().put("type", "custom").put("name", name);
        resolved.put("description", description).set("input_schema", schema.object().deepCopy());
        return resolved;
    }

    private static void check(Fields schema) {
        AgentRules.mustBe(schema, "type", Set.of("object"));
        for (String name : Set.of("oneOf", "anyOf", "allOf")) {
            if (schema.has(name)) {
                throw schema.refuse(name, "is not allowed at the top of an input schema");
            }
        }
        schema.object("properties")
                .ifPresent(properties -> {
                    for (String name : properties.object().propertyNames()) {
                        if (!PROPERTY.matcher(name).matches()) {
                            throw properties.refuse(
                                    name, "must be named by 1 to 64 letters, digits, _, . or -");
                        }
                    }
                });
        schema.texts("required", Integer.MAX_VALUE);
        if (refers(schema.object())) {
            throw schema.refuse("$ref", "is not allowed anywhere in an input schema");
        }
    }

    private static boolean refers(JsonNode node) {
        if (node.isObject() && node.has("$ref")) {
            return true;
        }
        return node.valueStream().anyMatch(ToolRules::refers);
    }
}
