package dev.glovebox.protocol.event;

import dev.glovebox.protocol.session.Usage;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// What the platform says about the session itself.
public sealed interface SessionEvent extends Event {

    /// A turn began or went on.
    record Running(@Nullable String id, @Nullable Instant processedAt) implements SessionEvent {}

    /// The session waits. Always the last event of a turn: a worker's idle countdown is disarmed by
    /// anything after it.
    ///
    /// @param stopReason why; a worker must not leave while it is [StopReason.RequiresAction]
    /// @param stopDetails only with a refusal
    record Idle(
            @Nullable String id,
            @Nullable StopReason stopReason,
            @Nullable ObjectNode stopDetails,
            @Nullable Instant processedAt)
            implements SessionEvent {}

    /// A passing fault; the platform tries again by itself.
    record Rescheduled(@Nullable String id, @Nullable Instant processedAt)
            implements SessionEvent {}

    /// The session is over for good.
    record Terminated(@Nullable String id, @Nullable Instant processedAt) implements SessionEvent {}

    /// Something failed; the error says whether it is retried.
    ///
    /// @param error `{type, message, retry_status:{type}}`
    record Failed(@Nullable String id, ObjectNode error, @Nullable Instant processedAt)
            implements SessionEvent {
        public Failed {
            Required.value("error", error);
        }
    }

    /// Parts of the session were changed; only the changed ones are present.
    record Updated(
            @Nullable String id,
            Optional<JsonNode> agent,
            Optional<String> title,
            Optional<Map<String, String>> metadata,
            @Nullable Instant processedAt)
            implements SessionEvent {
        public Updated {
            agent = Required.optional(agent);
            title = Required.optional(title);
            metadata = Required.optional(metadata);
        }
    }

    /// What the session has consumed so far; sent right before every idle.
    record Used(
            @Nullable String id,
            Usage usage,
            @Nullable ObjectNode budget,
            @Nullable Instant processedAt)
            implements SessionEvent {}

    /// The session is gone; ends every stream on it.
    record Deleted(@Nullable String id, @Nullable Instant processedAt) implements SessionEvent {}

    /// A sub-agent's thread accepts nothing more; its open calls are dead.
    record ThreadTerminated(
            @Nullable String id,
            String sessionThreadId,
            Optional<String> agentName,
            @Nullable Instant processedAt)
            implements SessionEvent {
        public ThreadTerminated {
            Required.value("session_thread_id", sessionThreadId);
            agentName = Required.optional(agentName);
        }
    }
}
