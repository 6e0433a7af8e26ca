package dev.glovebox.server.http;

import dev.glovebox.protocol.ProblemException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// A JSON object of a request, read member by member. Each reader refuses a member of the wrong
/// type with a message that names its path, such as `events[2].content`.
public final class Fields {
    /// Most pairs of metadata on one object.
    public static final int MAX_METADATA = 16;

    private final String at;
    private final ObjectNode object;

    /// @param at the path of the object in the request, empty for the body itself
    public Fields(String at, ObjectNode object) {
        this.at = at;
        this.object = object;
    }

    /// The object itself.
    public ObjectNode object() {
        return object;
    }

    /// Refuses members other than these: a misspelt or unsupported field must not be ignored
    /// silently.
    public Fields only(Set<String> known) {
        for (String name : object.propertyNames()) {
            if (!known.contains(name)) {
                throw refuse(name, "is not a field of this request");
            }
        }
        return this;
    }

    /// Whether the member was sent, `null` included.
    public boolean has(String name) {
        return object.has(name);
    }

    /// Whether the member was sent as `null`.
    public boolean isNull(String name) {
        return object.has(name) && object.path(name).isNull();
    }

    /// A string that must be there and not be empty.
    public String text(String name) {
        String value = optionalText(name).orElse("");
        if (value.isEmpty()) {
            throw refuse(name, "is required");
        }
        return value;
    }

    /// A string; absent and `null` are the same.
    public Optional<String> optionalText(String name) {
        JsonNode value = present(name);
        if (value == null) {
            return Optional.empty();
        }
        if (!value.isString()) {
            throw refuse(name, "must be a string");
        }
        return Optional.of(value.stringValue());
    }

    /// A string of at most so many characters.
    public Optional<String> optionalText(String name, int maxLength) {
        Optional<String> value = optionalText(name);
        if (value.isPresent() && value.get().length() > maxLength) {
            throw refuse(name, "must have at most " + maxLength + " characters");
        }
        return value;
    }

    /// A whole number within bounds.
    public OptionalLong number(String name, long min, long max) {
        JsonNode value = present(name);
        if (value == null) {
            return OptionalLong.empty();
        }
        if (!value.isIntegralNumber() || !value.canConvertToLong()) {
            throw refuse(name, "must be a whole number");
        }
        long number = value.longValue();
        if (number < min || number > max) {
            throw refuse(name, "must be from " + min + " to " + max);
        }
        return OptionalLong.of(number);
    }

    /// A boolean; absent means false.
    public boolean flag(String name) {
        JsonNode value = present(name);
        if (value == null) {
            return false;
        }
        if (!value.isBoolean()) {
            throw refuse(name, "must be true or false");
        }
        return value.booleanValue();
    }

    /// An object; absent and `null` are the same.
    public Optional<Fields> object(String name) {
        JsonNode value = present(name);
        if (value == null) {
            return Optional.empty();
        }
        if (value instanceof ObjectNode inner) {
            return Optional.of(new Fields(path(name), inner));
        }
        throw refuse(name, "must be an object");
    }

    /// An array of objects; absent and `null` are an empty one.
    public List<Fields> objects(String name, int maxItems) {
        List<Fields> items = new ArrayList<>();
        for (JsonNode item : array(name, maxItems)) {
            String itemPath = path(name) + "[" + items.size() + "]";
            if (!(item instanceof ObjectNode inner)) {
                throw ProblemException.invalid(itemPath + ": must be an object");
            }
            items.add(new Fields(itemPath, inner));
        }
        return items;
    }

    /// An array of strings; absent and `null` are an empty one.
    public List<String> texts(String name, int maxItems) {
        List<String> items = new ArrayList<>();
        for (JsonNode item : array(name, maxItems)) {
            if (!item.isString()) {
                throw refuse(name, "must be an array of strings");
            }
            items.add(item.stringValue());
        }
        return items;
    }

    /// An array; absent and `null` are an empty one.
    public List<JsonNode> array(String name, int maxItems) {
        JsonNode value = present(name);
        if (value == null) {
            return List.of();
        }
        if (!value.isArray()) {
            throw refuse(name, "must be an array");
        }
        if (value.size() > maxItems) {
            throw refuse(name, "must have at most " + maxItems + " items");
        }
        return List.copyOf(value.values());
    }

    /// Metadata: at most 16 pairs, keys of 1 to 64 characters, values of at most 512. A value may
    /// be `null`, which deletes the key in an update.
    public Map<String, Optional<String>> metadata(String name) {
        Map<String, Optional<String>> pairs = new LinkedHashMap<>();
        Optional<Fields> sent = object(name);
        if (sent.isEmpty()) {
            return pairs;
        }
        for (String key : sent.get().object.propertyNames()) {
            if (key.isEmpty() || key.length() > 64) {
                throw refuse(name, "keys must have 1 to 64 characters");
            }
            pairs.put(key, sent.get().optionalText(key, 512));
        }
        if (pairs.size() > MAX_METADATA) {
            throw refuse(name, "must have at most 16 pairs");
        }
        return pairs;
    }

    /// A refusal that names a member.
    public ProblemException refuse(String name, String what) {
        return ProblemException.invalid(path(name) + ": " + what);
    }

    /// The path of a member in the request.
    public String path(String name) {
        return at.isEmpty() ? name : at + "." + name;
    }

    private @Nullable JsonNode present(String name) {
        JsonNode value = object.get(name);
        return value == null || value.isNull() ? null : value;
    }
}
