package dev.glovebox.egress;

import java.time.Duration;

/// What one door spends on its sandbox at most.
///
/// @param connections open at a time; one more is reset at once
/// @param connect until an upstream has been found and connected
/// @param firstBytes until a client has said enough to be judged, where its first bytes are judged
/// @param idle without a byte in either direction
/// @param headerBytes of one HTTP request or response head
/// @param names that get an address during the life of the door
/// @param denials that are remembered
/// @param answer how long a connection waits for the operator, where a rule asks
public record DoorLimits(
        int connections,
        Duration connect,
        Duration firstBytes,
        Duration idle,
        int headerBytes,
        int names,
        int denials,
        Duration answer) {
    /// What a door gets unless told otherwise.
    public static final DoorLimits DEFAULT =
            new DoorLimits(
                    256,
                    Duration.ofSeconds(10),
                    Duration.ofSeconds(10),
                    Duration.ofMinutes(10),
                    32 * 1024,
                    1024,
                    256,
                    Duration.ofSeconds(30));

    public DoorLimits {
        positive(connections, "connections");
        positive(connect.toMillis(), "connect");
        positive(firstBytes.toMillis(), "first-bytes");
        positive(idle.toMillis(), "idle");
        positive(headerBytes, "header-bytes");
        positive(names, "names");
        positive(denials, "denials");
        positive(answer.toMillis(), "answer");
    }

    private static void positive(long value, String key) {
        if (value <= 0) {
            throw new EgressException("door limit " + key + " is " + value + ", must be above 0");
        }
    }
}
