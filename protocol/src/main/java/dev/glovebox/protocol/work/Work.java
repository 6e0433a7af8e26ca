package dev.glovebox.protocol.work;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// An item of an environment's queue: a session that wants a worker.
///
/// @param secret base64url of [WorkSecret] as JSON; only in the answer to a poll
@JsonIgnoreProperties(value = "type", allowGetters = true)
public record Work(
        String id,
        String environmentId,
        Data data,
        WorkState state,
        Instant createdAt,
        @Nullable Instant acknowledgedAt,
        @Nullable Instant startedAt,
        @Nullable Instant latestHeartbeatAt,
        @Nullable Instant stopRequestedAt,
        @Nullable Instant stoppedAt,
        Map<String, String> metadata,
        @Nullable String secret) {

    /// The wire name.
    @JsonProperty("type")
    public String type() {
        return "work";
    }

    /// What the item is about.
    ///
    /// @param type `session` or `healthcheck`; others may come
    /// @param id the session's id, or the check's
    public record Data(String type, String id) {}

    @Override
    public String toString() {
        return "Work[" + id + ", " + data + ", " + state.wire() + "]";
    }
}
