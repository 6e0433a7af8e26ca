package dev.glovebox.protocol;

import java.util.Map;
import java.util.function.BiFunction;
import java.util.stream.Collectors;
import tools.jackson.core.JsonParser;
import tools.jackson.databind.DeserializationContext;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ValueDeserializer;
import tools.jackson.databind.node.ObjectNode;

/// An open union of wire objects told apart by their `type` member: reads each to its record, and
/// one of an unknown type to the record that keeps it whole.
///
/// @param <T> the sealed interface of the union
public final class Union<T> extends ValueDeserializer<T> {
    private final Map<String, Class<? extends T>> members;
    private final Map<Class<?>, String> names;
    private final BiFunction<String, ObjectNode, T> unknown;

    /// @param members each known `type` with its record
    /// @param unknown makes the record of an unknown type from its name and whole JSON
    public Union(
            Map<String, Class<? extends T>> members, BiFunction<String, ObjectNode, T> unknown) {
        this.members = Map.copyOf(members);
        this.names =
                members.entrySet().stream()
                        .collect(
                                Collectors.toUnmodifiableMap(
                                        Map.Entry::getValue, Map.Entry::getKey));
        this.unknown = unknown;
    }

    /// The wire name of a member's record.
    public String typeOf(Class<?> member) {
        String name = names.get(member);
        if (name == null) {
            throw new IllegalArgumentException(member.getName() + " is not a member of this union");
        }
        return name;
    }

    /// Whether this is the wire name of a known member.
    public boolean knows(String type) {
        return members.containsKey(type);
    }

    @Override
    public T deserialize(JsonParser parser, DeserializationContext context) {
        JsonNode node = context.readTree(parser);
        if (!(node instanceof ObjectNode object)) {
            throw new JsonException("expected an object with a type");
        }
        JsonNode type = object.get("type");
        if (type == null || !type.isString()) {
            throw new JsonException("type: is required");
        }
        Class<? extends T> member = members.get(type.stringValue());
        if (member == null) {
            return unknown.apply(type.stringValue(), object);
        }
        return context.readTreeAsValue(object, member);
    }
}
