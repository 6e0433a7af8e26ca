package dev.glovebox.protocol.work;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/// How an environment's queue stands.
///
/// @param depth items waiting to be picked up
/// @param pending items delivered and not acknowledged
/// @param oldestQueuedAt creation time of the oldest of both
/// @param workersPolling distinct worker ids that polled within the last 30 seconds
@JsonIgnoreProperties(value = "type", allowGetters = true)
public record WorkStats(
        long depth, long pending, @Nullable Instant oldestQueuedAt, @Nullable Long workersPolling) {
    /// The wire name.
    @JsonProperty("type")
    public String type() {
        return "work_queue_stats";
    }
}
