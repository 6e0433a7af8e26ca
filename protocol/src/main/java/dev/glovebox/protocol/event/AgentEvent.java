package dev.glovebox.protocol.event;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonValue;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// What the agent does.
public sealed interface AgentEvent extends Event {

    /// The agent's words.
    record Message(@Nullable String id, List<ContentBlock> content, @Nullable Instant processedAt)
            implements AgentEvent {
        public Message {
            content = Required.listOrEmpty(content);
        }
    }

    /// A signal that the agent thinks; carries nothing.
    record Thinking(@Nullable String id, @Nullable Instant processedAt) implements AgentEvent {}

    /// A call of a tool of the agent toolset.
    ///
    /// @param input as the model gave it; nothing about it is checked
    /// @param evaluatedPermission `allow`, `ask` or `deny`; absent counts as allow, an unknown word
    ///   as ask
    /// @param evaluation how the permission came about, passed through
    record ToolUse(
            @Nullable String id,
            String name,
            ObjectNode input,
            Optional<Permission> evaluatedPermission,
            Optional<ObjectNode> evaluation,
            Optional<String> sessionThreadId,
            @Nullable Instant processedAt)
            implements AgentEvent {
        public ToolUse {
            Required.value("name", name);
            Required.value("input", input);
            evaluatedPermission = Required.optional(evaluatedPermission);
            evaluation = Required.optional(evaluation);
            sessionThreadId = Required.optional(sessionThreadId);
        }
    }

    /// The outcome of a tool that the platform ran or refused itself.
    record ToolResult(
            @Nullable String id,
            String toolUseId,
            List<ContentBlock> content,
            @JsonProperty("is_error") boolean isError,
            @Nullable Instant processedAt)
            implements AgentEvent {
        public ToolResult {
            Required.value("tool_use_id", toolUseId);
            content = Required.listOrEmpty(content);
        }
    }

    /// A call of a tool that the agent's owner defined and answers.
    record CustomToolUse(
            @Nullable String id,
            String name,
            ObjectNode input,
            Optional<String> sessionThreadId,
            @Nullable Instant processedAt)
            implements AgentEvent {
        public CustomToolUse {
            Required.value("name", name);
            Required.value("input", input);
            sessionThreadId = Required.optional(sessionThreadId);
        }
    }

    /// Whether a call may run: at once, after a person said so, or not.
    enum Permission {
        ALLOW,
        ASK,
        DENY;

        @JsonValue
        String wire() {
            return name().toLowerCase(Locale.ROOT);
        }

        /// Reads the wire word; any word of a later version counts as [#ASK], so that doubt never
        /// runs a call.
        @com.fasterxml.jackson.annotation.JsonCreator
        static Permission of(String word) {
            return switch (word) {
                case "allow" -> ALLOW;
                case "deny" -> DENY;
                default -> ASK;
            };
        }
    }
}
