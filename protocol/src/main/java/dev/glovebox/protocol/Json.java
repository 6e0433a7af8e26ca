package dev.glovebox.protocol;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.glovebox.protocol.agent.Tool;
import dev.glovebox.protocol.event.ContentBlock;
import dev.glovebox.protocol.event.Event;
import dev.glovebox.protocol.event.StopReason;
import java.io.InputStream;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.cfg.DateTimeFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.module.SimpleModule;
import tools.jackson.databind.node.ObjectNode;

/// The one JSON codec of Glovebox: every byte of JSON on the wire or in a store is read and written
/// here.
///
/// Names are snake_case. A `@Nullable` component is written as `null`; an empty [Optional] is left
/// out. Members that a record does not know are skipped and union members of an unknown `type` are
/// kept whole, because the platform adds both without notice. What is refused: duplicate keys,
/// trailing text, nesting deeper than 64, numbers longer than 100 digits, strings over 32 MiB.
public final class Json {
    /// Deepest nesting that is read.
    public static final int MAX_DEPTH = 64;

    /// Longest string value that is read, in characters: the size limit of a request body.
    public static final int MAX_STRING = 32 * 1024 * 1024;

    private static final JsonMapper MAPPER =
            JsonMapper.builder(
                            JsonFactory.builder()
                                    .streamReadConstraints(
                                            StreamReadConstraints.builder()
                                                    .maxNestingDepth(MAX_DEPTH)
                                                    .maxNumberLength(100)
                                                    .maxStringLength(MAX_STRING)
                                                    .maxNameLength(4096)
                                                    .build())
                                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                                    .build())
                    .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
                    .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                    .disable(DateTimeFeature.WRITE_DATES_AS_TIMESTAMPS)
                    .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                    .disable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
                    .withConfigOverride(
                            Optional.class,
                            o ->
                                    o.setInclude(
                                            JsonInclude.Value.construct(
                                                    JsonInclude.Include.NON_ABSENT,
                                                    JsonInclude.Include.NON_ABSENT)))
                    .addModule(
                            new SimpleModule("glovebox-unions")
                                    .addDeserializer(Event.class, Event.UNION)
                                    .addDeserializer(ContentBlock.class, ContentBlock.UNION)
                                    .addDeserializer(StopReason.class, StopReason.UNION)
                                    .addDeserializer(Tool.class, Tool.UNION))
                    .build();

    private Json() {}

    /// Writes a value as compact JSON.
    public static String write(Object value) {
        return MAPPER.writeValueAsString(value);
    }

    /// Writes a value as compact JSON in UTF-8.
    public static byte[] writeBytes(Object value) {
        return MAPPER.writeValueAsBytes(value);
    }

    /// Reads a value.
    ///
    /// @throws JsonException when the text is not JSON, or not of the type's shape; the message
    ///   names the place
    public static <T> T read(String text, Class<T> type) {
        try {
            return nonNull(MAPPER.readValue(text, type), type);
        } catch (JacksonException e) {
            throw JsonException.of(e);
        }
    }

    /// Reads a value of a generic type.
    public static <T> T read(String text, TypeReference<T> type) {
        try {
            T value = MAPPER.readValue(text, type);
            if (value == null) {
                throw new JsonException("expected a value, found null");
            }
            return value;
        } catch (JacksonException e) {
            throw JsonException.of(e);
        }
    }

    /// Reads a value from UTF-8 bytes.
    public static <T> T read(byte[] utf8, Class<T> type) {
        try {
            return nonNull(MAPPER.readValue(utf8, type), type);
        } catch (JacksonException e) {
            throw JsonException.of(e);
        }
    }

    /// Reads a value from a stream of UTF-8, which is left open at the end.
    public static <T> T read(InputStream utf8, Class<T> type) {
        try {
            return nonNull(MAPPER.readValue(utf8, type), type);
        } catch (JacksonException e) {
            throw JsonException.of(e);
        }
    }

    /// Reads any JSON value as a tree.
    public static JsonNode tree(String text) {
        return read(text, JsonNode.class);
    }

    /// Turns a tree into a value.
    public static <T> T fromTree(JsonNode tree, Class<T> type) {
        try {
            return nonNull(MAPPER.treeToValue(tree, type), type);
        } catch (JacksonException e) {
            throw JsonException.of(e);
        }
    }

    /// Turns a value into a tree.
    public static JsonNode toTree(Object value) {
        return MAPPER.valueToTree(value);
    }

    /// A new empty object.
    public static ObjectNode object() {
        return MAPPER.createObjectNode();
    }

    private static <T> T nonNull(T value, Class<T> type) {
        if (value == null) {
            throw new JsonException("expected " + type.getSimpleName() + ", found null");
        }
        return value;
    }
}
