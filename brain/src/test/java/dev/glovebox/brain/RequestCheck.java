package dev.glovebox.brain;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.JsonException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// What the Messages API refuses, as a list of rules: the shape of a request, the alternation of
/// its turns, and an answer for every call at the one place where it may stand.
final class RequestCheck {
    private static final Set<String> KNOWN =
            Set.of(
                    "model",
                    "max_tokens",
                    "messages",
                    "stream",
                    "system",
                    "tools",
                    "cache_control",
                    "output_config",
                    "speed",
                    "inference_geo");

    private final List<String> faults = new ArrayList<>();

    private RequestCheck() {}

    /// The faults of a request body, empty when it is good.
    static List<String> faults(String body) {
        RequestCheck check = new RequestCheck();
        try {
            check.request(Json.read(body, ObjectNode.class));
        } catch (JsonException e) {
            check.faults.add("body: " + e.getMessage());
        }
        return check.faults;
    }

    private void request(ObjectNode request) {
        request.propertyNames().stream()
                .filter(n -> !KNOWN.contains(n))
                .forEach(n -> faults.add(n + ": extra inputs are not permitted"));
        need(!request.path("model").asString("").isEmpty(), "model: is required");
        need(request.path("max_tokens").asLong(0) > 0, "max_tokens: must be positive");
        need(request.path("stream").asBoolean(false), "stream: must be true");
        need(!request.has("system") || !text(request, "system").isBlank(), "system: is blank");
        Set<String> tools = new HashSet<>();
        for (JsonNode tool : request.path("tools")) {
            tool(tool, tools);
        }
        need(!request.has("tools") || !request.path("tools").isEmpty(), "tools: is empty");
        messages(request.path("messages"));
    }

    private void tool(JsonNode tool, Set<String> names) {
        String name = text(tool, "name");
        need(name.matches("[A-Za-z0-9_-]{1,128}"), "tools: bad name " + name);
        need(names.add(name), "tools: name " + name + " twice");
        need(!text(tool, "description").isEmpty(), "tools." + name + ": no description");
        JsonNode schema = tool.path("input_schema");
        need(text(schema, "type").equals("object"), "tools." + name + ": schema is no object");
        for (JsonNode required : schema.path("required")) {
            need(
                    schema.path("properties").has(required.asString("")),
                    "tools." + name + ": requires what it does not have");
        }
    }

    private void messages(JsonNode messages) {
        need(messages.isArray() && !messages.isEmpty(), "messages: at least one is required");
        String before = "assistant";
        Optional<JsonNode> previous = Optional.empty();
        int index = 0;
        for (JsonNode message : messages) {
            String place = "messages." + index++;
            String role = text(message, "role");
            need(role.equals("user") || role.equals("assistant"), place + ": role " + role);
            need(!role.equals(before), place + ": roles must alternate");
            need(!message.path("content").isEmpty(), place + ": content is empty");
            for (JsonNode block : message.path("content")) {
                block(block, role, place);
            }
            if (role.equals("user")) {
                pairs(previous, message, place);
            }
            before = role;
            previous = Optional.of(message);
        }
        need(before.equals("user"), "messages: must end with a user turn");
    }

    private void block(JsonNode block, String role, String place) {
        switch (text(block, "type")) {
            case "text" -> need(!text(block, "text").isBlank(), place + ": blank text");
            case "image", "document" -> need(role.equals("user"), place + ": image of assistant");
            case "tool_use" -> {
                need(role.equals("assistant"), place + ": tool_use of user");
                need(text(block, "id").matches("[a-zA-Z0-9_-]+"), place + ": bad tool_use id");
                need(block.path("input").isObject(), place + ": tool_use input is no object");
            }
            case "tool_result" -> need(role.equals("user"), place + ": result of assistant");
            default -> faults.add(place + ": block type " + text(block, "type"));
        }
    }

    private void pairs(Optional<JsonNode> assistant, JsonNode user, String place) {
        List<String> calls = new ArrayList<>();
        assistant.ifPresent(a -> ids(a, "tool_use", "id", calls));
        List<String> results = new ArrayList<>();
        ids(user, "tool_result", "tool_use_id", results);
        need(
                new HashSet<>(calls).equals(new HashSet<>(results))
                        && calls.size() == results.size(),
                place + ": calls " + calls + " but results " + results);
        boolean other = false;
        for (JsonNode block : user.path("content")) {
            boolean result = text(block, "type").equals("tool_result");
            need(!(result && other), place + ": tool_result after other content");
            other |= !result;
        }
    }

    private static void ids(JsonNode message, String type, String name, List<String> into) {
        for (JsonNode block : message.path("content")) {
            if (text(block, "type").equals(type)) {
                into.add(text(block, name));
            }
        }
    }

    private void need(boolean condition, String fault) {
        if (!condition) {
            faults.add(fault);
        }
    }

    private static String text(JsonNode node, String name) {
        return node.path(name).asString("");
    }
}
