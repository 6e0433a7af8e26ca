package dev.glovebox.server.agent;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.ProblemException;
import dev.glovebox.server.http.Fields;
import java.util.HashSet;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Checks the members of an agent that a client sent and resolves them to the form in which the API
/// shows them: the model as an object, toolsets with every default spelt out.
///
/// Checking takes two steps, because a client may send some members only: [#resolve] looks at each
/// sent member by itself, [#mustFit] at the whole agent that results.
public final class AgentRules {
    private static final int MAX_SYSTEM = 100_000;
    private static final int MAX_MCP_SERVERS = 20;
    private static final int MAX_MCP_NAME = 255;
    private static final int MAX_URL = 2048;
    private static final int MAX_SKILLS = 500;
    private static final int MAX_SKILL_ID = 256;

    /// Rules without any choice.
    public AgentRules() {}

    /// Checks and resolves each member that was sent.
    ///
    /// @param sent holds any of `model`, `system`, `tools`, `mcp_servers`, `skills`; other members
    ///   are left alone
    /// @return the same members, resolved; a cleared one is `null` or an empty array
    /// @throws ProblemException when one is not acceptable (400)
    public ObjectNode resolve(Fields sent) {
        ObjectNode resolved = Json.object();
        if (sent.has("model")) {
            resolved.set("model", ModelRules.resolve(sent));
        }
        if (sent.has("system")) {
            String system = sent.optionalText("system", MAX_SYSTEM).orElse("");
            resolved.put("system", system.isEmpty() ? null : system);
        }
        if (sent.has("tools")) {
            resolved.set("tools", ToolRules.resolve(sent));
        }
        if (sent.has("mcp_servers")) {
            resolved.set("mcp_servers", mcpServers(sent));
        }
        if (sent.has("skills")) {
            resolved.set("skills", skills(sent));
        }
        return resolved;
    }

    /// Checks what the members of a whole agent ask of each other: each MCP server has a toolset
    /// and each MCP toolset its server, and skills come with a way to read them.
    ///
    /// @param agent resolved
    /// @throws ProblemException when they do not fit (400)
    public void mustFit(ObjectNode agent) {
        Set<String> servers = new HashSet<>();
        agent.path("mcp_servers").forEach(s -> servers.add(text(s, "name")));
        Set<String> used = new HashSet<>();
        for (JsonNode tool : agent.path("tools")) {
            if (text(tool, "type").equals("mcp_toolset")) {
                String server = text(tool, "mcp_server_name");
                used.add(server);
                if (!servers.contains(server)) {
                    throw ProblemException.invalid(
                            "tools: an mcp_toolset refers to "
                                    + server
                                    + ", which is not in mcp_servers");
                }
            }
        }
        for (String server : servers) {
            if (!used.contains(server)) {
                throw ProblemException.invalid(
                        "mcp_servers: " + server + " needs an mcp_toolset in tools");
            }
        }
        if (!agent.path("skills").isEmpty() && !canRead(agent)) {
            throw ProblemException.invalid(
                    "skills: need an agent_toolset_20260401 in tools with read enabled");
        }
    }

    private static boolean canRead(ObjectNode agent) {
        for (JsonNode tool : agent.path("tools")) {
            if (text(tool, "type").equals(ToolRules.AGENT_TOOLSET)) {
                boolean enabled = tool.path("default_config").path("enabled").asBoolean(false);
                for (JsonNode config : tool.path("configs")) {
                    if (text(config, "name").equals("read")) {
                        enabled = config.path("enabled").asBoolean(false);
                    }
                }
                return enabled;
            }
        }
        return false;
    }

    private static ArrayNode mcpServers(Fields sent) {
        ArrayNode servers = Json.object().putArray("mcp_servers");
        Set<String> names = new HashSet<>();
        for (Fields server : sent.objects("mcp_servers", MAX_MCP_SERVERS)) {
            server.only(Set.of("type", "name", "url"));
            mustBe(server, "type", Set.of("url"));
            String name = required(server, "name", MAX_MCP_NAME);
            String url = required(server, "url", MAX_URL);
            if (!url.startsWith("https://") && !url.startsWith("http://")) {
                throw server.refuse("url", "must begin with https:// or http://");
            }
            if (!names.add(name)) {
                throw server.refuse("name", name + " is there twice");
            }
            servers.addObject().put("type", "url").put("name", name).put("url", url);
        }
        return servers;
    }

    private static ArrayNode skills(Fields sent) {
        ArrayNode skills = Json.object().putArray("skills");
        Set<String> ids = new HashSet<>();
        for (Fields skill : sent.objects("skills", MAX_SKILLS)) {
            skill.only(Set.of("type", "skill_id", "version"));
            String type = mustBe(skill, "type", Set.of("anthropic", "custom"));
            String id = required(skill, "skill_id", MAX_SKILL_ID);
            if (!ids.add(id)) {
                throw skill.refuse("skill_id", id + " is there twice");
            }
            skills.addObject()
                    .put("type", type)
                    .put("skill_id", id)
                    .put(
                            "version",
                            skill.optionalText("version", MAX_SKILL_ID)
                                    .filter(v -> !v.isEmpty())
                                    .orElse("latest"));
        }
        return skills;
    }

    /// A string that must be there, not empty and not longer than this.
    static String required(Fields fields, String name, int maxLength) {
        String text = fields.text(name);
        fields.optionalText(name, maxLength);
        return text;
    }

    /// A string that must be there and be one of these.
    static String mustBe(Fields fields, String name, Set<String> words) {
        String word = fields.text(name);
        if (!words.contains(word)) {
            throw fields.refuse(
                    name, "must be " + String.join(" or ", words.stream().sorted().toList()));
        }
        return word;
    }

    private static String text(JsonNode node, String name) {
        return node.path(name).asString("");
    }
}
