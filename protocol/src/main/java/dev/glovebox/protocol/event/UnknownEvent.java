package dev.glovebox.protocol.event;

import com.fasterxml.jackson.annotation.JsonValue;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// An event of a type that this version does not know, kept whole.
///
/// @param type its wire name
/// @param json all of it
public record UnknownEvent(
        String type, @Nullable String id, @Nullable Instant processedAt, @JsonValue ObjectNode json)
        implements Event {

    static Event of(String type, ObjectNode json) {
        return new UnknownEvent(type, text(json, "id"), time(text(json, "processed_at")), json);
    }

    private static @Nullable String text(ObjectNode json, String name) {
        JsonNode value = json.get(name);
        return value != null && value.isString() ? value.stringValue() : null;
    }

    private static @Nullable Instant time(@Nullable String text) {
        if (text == null) {
            return null;
        }
        try {
            return Instant.parse(text);
        } catch (DateTimeParseException _) {
            return null;
        }
    }
}
