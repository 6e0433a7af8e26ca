package dev.glovebox.protocol.work;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import dev.glovebox.protocol.JsonException;
import java.util.Arrays;
import java.util.Locale;

/// Where a work item stands.
public enum WorkState {
    /// Waits for a worker, or was delivered to one that has not acknowledged it.
    QUEUED,
    /// Acknowledged, no heartbeat yet.
    STARTING,
    /// Leased: the worker sends heartbeats.
    ACTIVE,
    /// Asked to end; the worker sees it at its next heartbeat.
    STOPPING,
    /// This attempt is over.
    STOPPED;

    /// Whether the attempt is over or about to be: such an item extends no lease.
    public boolean ending() {
        return this == STOPPING || this == STOPPED;
    }

    /// The word on the wire.
    @JsonValue
    public String wire() {
        return name().toLowerCase(Locale.ROOT);
    }

    /// Reads the word on the wire.
    @JsonCreator
    public static WorkState of(String word) {
        return Arrays.stream(values())
                .filter(s -> s.wire().equals(word))
                .findFirst()
                .orElseThrow(() -> new JsonException("state: unknown work state " + word));
    }
}
