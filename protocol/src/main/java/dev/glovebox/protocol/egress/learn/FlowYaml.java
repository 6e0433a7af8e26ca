package dev.glovebox.protocol.egress.learn;

import dev.glovebox.protocol.Json;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;

/// A tree on one line of YAML, words without quotes where they can only be words.
final class FlowYaml {
    private static final String WORD = "[A-Za-z][A-Za-z0-9._-]*|/[A-Za-z0-9._/-]*";

    /// What some reader of YAML takes for something else than a word.
    private static final Set<String> SPECIAL =
            Set.of("true", "false", "null", "yes", "no", "on", "off", "y", "n");

    private FlowYaml() {}

    static String line(JsonNode node) {
        if (node.isObject()) {
            return node.properties().stream()
                    .map(entry -> key(entry) + ": " + line(entry.getValue()))
                    .collect(Collectors.joining(", ", "{", "}"));
        }
        if (node.isArray()) {
            return node.values().stream()
                    .map(FlowYaml::line)
                    .collect(Collectors.joining(", ", "[", "]"));
        }
        return node.isString() ? text(node.asString()) : Json.write(node);
    }

    private static String key(Map.Entry<String, JsonNode> entry) {
        return text(entry.getKey());
    }

    private static String text(String text) {
        return text.matches(WORD) && !SPECIAL.contains(text.toLowerCase(Locale.ROOT))
                ? text
                : Json.write(text);
    }
}
