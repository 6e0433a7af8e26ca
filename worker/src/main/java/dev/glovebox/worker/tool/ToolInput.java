package dev.glovebox.worker.tool;

import java.util.Optional;
import java.util.OptionalLong;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// The input of one call as the model wrote it: any member may be missing, `null` or of any type.
///
/// @param tool name of the tool, for the words of refusals
record ToolInput(String tool, ObjectNode json) {

    /// Text that must be there and not be empty.
    String required(String name) {
        String text = text(name).orElse("");
        if (text.isEmpty()) {
            throw new ToolFailure(tool + ": " + name + " is required");
        }
        return text;
    }

    /// Text that must be there and may be empty.
    String present(String name) {
        return text(name).orElseThrow(() -> new ToolFailure(tool + ": " + name + " is required"));
    }

    /// Text, if it is there.
    Optional<String> text(String name) {
        return member(name)
                .map(value -> {
                    if (!value.isString()) {
                        throw new ToolFailure(tool + ": " + name + " must be a string");
                    }
                    return value.stringValue();
                });
    }

    /// A flag; absent is false.
    boolean flag(String name) {
        return member(name)
                .map(value -> {
                    if (!value.isBoolean()) {
                        throw new ToolFailure(tool + ": " + name + " must be true or false");
                    }
                    return value.booleanValue();
                })
                .orElse(false);
    }

    /// A whole number of at least 0, if it is there.
    OptionalLong number(String name) {
        Optional<JsonNode> member = member(name);
        if (member.isEmpty()) {
            return OptionalLong.empty();
        }
        JsonNode value = member.get();
        if (!value.isIntegralNumber() || !value.canConvertToLong() || value.longValue() < 0) {
            throw new ToolFailure(
                    tool + ": " + name + " must be a whole number that is not negative");
        }
        return OptionalLong.of(value.longValue());
    }

    /// The member, if it is there and not `null`.
    Optional<JsonNode> member(String name) {
        JsonNode value = json.get(name);
        return value == null || value.isNull() ? Optional.empty() : Optional.of(value);
    }
}
