package dev.glovebox.protocol.work;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;

/// The answer to a heartbeat.
///
/// @param lastHeartbeat opaque text to send back verbatim with the next beat; empty when none is
///   recorded
/// @param leaseExtended whether the worker still owns the item
/// @param ttlSeconds how long the lease lasts without another beat
@JsonIgnoreProperties(value = "type", allowGetters = true)
public record Heartbeat(
        String lastHeartbeat, boolean leaseExtended, WorkState state, long ttlSeconds) {
    /// What the first beat of a delivery expects as its predecessor.
    public static final String NONE = "NO_HEARTBEAT";

    /// The wire name.
    @JsonProperty("type")
    public String type() {
        return "work_heartbeat";
    }
}
