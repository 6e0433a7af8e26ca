package dev.glovebox.protocol.event;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonValue;
import dev.glovebox.protocol.Union;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.node.ObjectNode;

/// A piece of what an event says. Text is a record; every other kind (image, document, search
/// result, later ones) is carried through whole.
@JsonIgnoreProperties(value = "type", allowGetters = true)
public sealed interface ContentBlock {
    /// The kinds this version reads into records.
    // class literals and method references do not initialise the members, so there is no cycle
    @SuppressWarnings("ClassInitializationDeadlock")
    Union<ContentBlock> UNION =
            new Union<>(Map.of("text", Text.class), (type, json) -> new Other(type, json));

    /// The wire name, such as `text`.
    @JsonProperty("type")
    String type();

    /// One text block.
    static List<ContentBlock> text(String text) {
        return List.of(new Text(text));
    }

    /// Plain text.
    record Text(String text) implements ContentBlock {
        public Text {
            Required.value("text", text);
        }

        @Override
        @JsonProperty("type")
        public String type() {
            return "text";
        }
    }

    /// A block that is not text, kept whole.
    record Other(String type, @JsonValue ObjectNode json) implements ContentBlock {}
}
