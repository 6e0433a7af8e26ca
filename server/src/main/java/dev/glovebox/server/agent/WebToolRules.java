package dev.glovebox.server.agent;

import dev.glovebox.protocol.Json;
import dev.glovebox.server.http.Fields;
import java.util.List;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// What the entries of `web_search` and `web_fetch` may hold beyond those of other tools. It is
/// checked and kept, so that an agent's definition survives here, though neither tool runs.
final class WebToolRules {
    private static final int MAX_DOMAINS = 64;
    private static final int MAX_DOMAIN = 255;
    private static final int MAX_PLACE = 255;
    private static final int MAX_REFERENCES = 128;
    private static final List<String> SOURCES =
            List.of("client_tool_results", "server_tool_results", "user_input");

    private WebToolRules() {}

    /// The extra members of a tool's entry; empty for tools other than the two.
    static Set<String> extras(String tool) {
        return switch (tool) {
            case "web_search" -> Set.of("allowed_domains", "blocked_domains", "user_location");
            case "web_fetch" ->
                    Set.of(
                            "allowed_domains",
                            "blocked_domains",
                            "max_content_tokens",
                            "url_sources");
            default -> Set.of();
        };
    }

    /// Checks the extra members and writes them resolved.
    static void resolve(String tool, Fields sent, ObjectNode into) {
        if (extras(tool).isEmpty()) {
            return;
        }
        domains(sent, into);
        if (tool.equals("web_search")) {
            sent.object("user_location").ifPresent(l -> into.set("user_location", location(l)));
        } else {
            sent.number("max_content_tokens", 1, Integer.MAX_VALUE)
                    .ifPresent(n -> into.put("max_content_tokens", n));
            sent.object("url_sources").ifPresent(s -> into.set("url_sources", sources(s)));
        }
    }

    private static void domains(Fields sent, ObjectNode into) {
        boolean both = true;
        for (String name : List.of("allowed_domains", "blocked_domains")) {
            if (!sent.object().hasNonNull(name)) {
                both = false;
                continue;
            }
            List<String> domains = sent.texts(name, MAX_DOMAINS);
            if (domains.isEmpty()) {
                throw sent.refuse(name, "must have 1 to " + MAX_DOMAINS + " items");
            }
            if (domains.stream().anyMatch(d -> d.isEmpty() || d.length() > MAX_DOMAIN)) {
                throw sent.refuse(name, "must have items of 1 to " + MAX_DOMAIN + " characters");
            }
            ArrayNode array = into.putArray(name);
            domains.forEach(array::add);
        }
        if (both) {
            throw sent.refuse("blocked_domains", "cannot stand beside allowed_domains");
        }
    }

    private static ObjectNode location(Fields sent) {
        sent.only(Set.of("type", "city", "country", "region", "timezone"));
        ObjectNode location =
                Json.object().put("type", AgentRules.mustBe(sent, "type", Set.of("approximate")));
        for (String name : List.of("city", "country", "region", "timezone")) {
            location.put(name, sent.optionalText(name, MAX_PLACE).orElse(null));
        }
        return location;
    }

    private static ObjectNode sources(Fields sent) {
        sent.only(Set.copyOf(SOURCES));
        ObjectNode sources = Json.object();
        int none = 0;
        for (String name : SOURCES) {
            if (!sent.object().hasNonNull(name)) {
                sources.putNull(name);
                continue;
            }
            ObjectNode source = source(sent, name);
            none += source.path("type").asString("").equals("none") ? 1 : 0;
            sources.set(name, source);
        }
        if (none == SOURCES.size()) {
            throw sent.refuse("user_input", "must not be none when all others are none");
        }
        return sources;
    }

    private static ObjectNode source(Fields sent, String name) {
        JsonNode value = sent.object().path(name);
        if (value.isString()) {
            return Json.object().put("type", AgentRules.mustBe(sent, name, Set.of("all", "none")));
        }
        Fields source = sent.object(name).orElseThrow(() -> sent.refuse(name, "is required"));
        String type =
                AgentRules.mustBe(
                        source,
                        "type",
                        name.equals("user_input")
                                ? Set.of("all", "none")
                                : Set.of("all", "none", "only", "except"));
        ObjectNode resolved = Json.object().put("type", type);
        if (type.equals("all") || type.equals("none")) {
            source.only(Set.of("type"));
            return resolved;
        }
        source.only(Set.of("type", "tools"));
        ArrayNode tools = resolved.putArray("tools");
        for (Fields tool : source.objects("tools", MAX_REFERENCES)) {
            tool.only(Set.of("type", "name"));
            AgentRules.mustBe(tool, "type", Set.of("tool_reference"));
            tools.addObject().put("type", "tool_reference").put("name", tool.text("name"));
        }
        if (tools.isEmpty()) {
            throw source.refuse("tools", "must have 1 to " + MAX_REFERENCES + " items");
        }
        return resolved;
    }
}
