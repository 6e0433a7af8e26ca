package dev.glovebox.protocol.event;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonValue;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What a client sends into a session: the person's words, and the worker's tool results.
public sealed interface UserEvent extends Event {

    /// Words for the agent; starts a turn when the session is idle and waits its turn when it is
    /// not.
    record Message(@Nullable String id, List<ContentBlock> content, @Nullable Instant processedAt)
            implements UserEvent {
        public Message {
            content = Required.list("content", content);
        }
    }

    /// Stop what the agent is doing. Without a thread id it goes to every thread.
    record Interrupt(
            @Nullable String id, Optional<String> sessionThreadId, @Nullable Instant processedAt)
            implements UserEvent {
        public Interrupt {
            sessionThreadId = Required.optional(sessionThreadId);
        }
    }

    /// A person's answer to a call that asks for permission.
    ///
    /// @param denyMessage told to the agent; only with [Verdict#DENY]
    record ToolConfirmation(
            @Nullable String id,
            String toolUseId,
            Verdict result,
            Optional<String> denyMessage,
            Optional<String> sessionThreadId,
            @Nullable Instant processedAt)
            implements UserEvent {
        public ToolConfirmation {
            Required.value("tool_use_id", toolUseId);
            Required.value("result", result);
            denyMessage = Required.optional(denyMessage);
            sessionThreadId = Required.optional(sessionThreadId);
        }
    }

    /// The outcome of a sandbox tool call, posted by the worker that ran it.
    record ToolResult(
            @Nullable String id,
            String toolUseId,
            List<ContentBlock> content,
            @JsonProperty("is_error") boolean isError,
            Optional<String> sessionThreadId,
            @Nullable Instant processedAt)
            implements UserEvent {
        public ToolResult {
            Required.value("tool_use_id", toolUseId);
            content = Required.listOrEmpty(content);
            sessionThreadId = Required.optional(sessionThreadId);
        }
    }

    /// The outcome of a custom tool call.
    record CustomToolResult(
            @Nullable String id,
            String customToolUseId,
            List<ContentBlock> content,
            @JsonProperty("is_error") boolean isError,
            Optional<String> sessionThreadId,
            @Nullable Instant processedAt)
            implements UserEvent {
        public CustomToolResult {
            Required.value("custom_tool_use_id", customToolUseId);
            content = Required.listOrEmpty(content);
            sessionThreadId = Required.optional(sessionThreadId);
        }
    }

    /// What a person decided.
    enum Verdict {
        ALLOW,
        DENY;

        @JsonValue
        String wire() {
            return Objects.requireNonNull(name()).toLowerCase(Locale.ROOT);
        }
    }
}
