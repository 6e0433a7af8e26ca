package dev.glovebox.server.agent;

import dev.glovebox.protocol.Json;
import dev.glovebox.server.http.Fields;
import java.util.HashSet;
import java.util.Set;
import java.util.TreeSet;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Toolsets with every default spelt out: a tool's own entry overrides the toolset's default, which
/// overrides the kind's (`always_allow` for the agent toolset, `always_ask` for MCP).
///
/// The web tools run in the control plane, and this one has none: they are always shown as not
/// enabled, whatever was asked for.
final class ToolsetRules {
    private static final Set<String> POLICIES = Set.of("always_allow", "always_ask", "auto");
    private static final Set<String> WEB = Set.of("web_fetch", "web_search");
    private static final int MAX_MCP_CONFIGS = 256;
    private static final int MAX_MCP_SERVER_NAME = 255;
    private static final int MAX_MCP_TOOL_NAME = 128;

    private ToolsetRules() {}

    /// What holds for a tool: whether it is there, and how a call is permitted.
    private record Setting(boolean enabled, String policy) {
        /// This one where the client is silent, else what it says.
        Setting with(Fields sent) {
            boolean on = sent.object().hasNonNull("enabled") ? sent.flag("enabled") : enabled;
            String word =
                    sent.object("permission_policy")
                            .map(p -> AgentRules.mustBe(p.only(Set.of("type")), "type", POLICIES))
                            .orElse(policy);
            return new Setting(on, word);
        }

        ObjectNode write(ObjectNode into) {
            into.put("enabled", enabled).putObject("permission_policy").put("type", policy);
            return into;
        }
    }

    static ObjectNode agentToolset(Fields toolset) {
        toolset.only(Set.of("type", "default_config", "configs"));
        Setting setting = defaults(toolset, new Setting(true, "always_allow"));
        ObjectNode resolved = Json.object().put("type", ToolRules.AGENT_TOOLSET);
        setting.write(resolved.putObject("default_config"));
        ArrayNode configs = resolved.putArray("configs");
        Set<String> names = new HashSet<>();
        for (Fields config : toolset.objects("configs", ToolRules.BUILT_IN.size())) {
            String name = AgentRules.mustBe(config, "name", ToolRules.BUILT_IN);
            if (!config.optionalText("type").orElse(name).equals(name)) {
                throw config.refuse("type", "must be the same as name");
            }
            once(config, names, name);
            configs.add(config(config, name, setting.with(config)));
        }
        for (String name : new TreeSet<>(WEB)) {
            if (setting.enabled() && !names.contains(name)) {
                configs.add(entry(name, new Setting(false, setting.policy())));
            }
        }
        return resolved;
    }

    private static ObjectNode config(Fields config, String name, Setting setting) {
        Set<String> known = new HashSet<>(Set.of("name", "type", "enabled", "permission_policy"));
        known.addAll(WebToolRules.extras(name));
        config.only(known);
        boolean enabled = setting.enabled() && !WEB.contains(name);
        ObjectNode resolved = entry(name, new Setting(enabled, setting.policy()));
        WebToolRules.resolve(name, config, resolved);
        return resolved;
    }

    private static ObjectNode entry(String name, Setting setting) {
        ObjectNode entry = setting.write(Json.object().put("type", name).put("name", name));
        return name.equals("web_fetch") ? entry.putNull("url_sources") : entry;
    }

    static ObjectNode mcpToolset(Fields toolset) {
        toolset.only(Set.of("type", "mcp_server_name", "default_config", "configs"));
        Setting setting = defaults(toolset, new Setting(true, "always_ask"));
        ObjectNode resolved =
                Json.object()
                        .put("type", "mcp_toolset")
                        .put(
                                "mcp_server_name",
                                AgentRules.required(
                                        toolset, "mcp_server_name", MAX_MCP_SERVER_NAME));
        setting.write(resolved.putObject("default_config"));
        ArrayNode configs = resolved.putArray("configs");
        Set<String> names = new HashSet<>();
        for (Fields config : toolset.objects("configs", MAX_MCP_CONFIGS)) {
            config.only(Set.of("name", "enabled", "permission_policy"));
            String name = AgentRules.required(config, "name", MAX_MCP_TOOL_NAME);
            once(config, names, name);
            configs.add(setting.with(config).write(Json.object().put("name", name)));
        }
        return resolved;
    }

    private static Setting defaults(Fields toolset, Setting ofKind) {
        return toolset.object("default_config")
                .map(c -> ofKind.with(c.only(Set.of("enabled", "permission_policy"))))
                .orElse(ofKind);
    }

    private static void once(Fields config, Set<String> names, String name) {
        if (!names.add(name)) {
            throw config.refuse("name", name + " is there twice");
        }
    }
}
