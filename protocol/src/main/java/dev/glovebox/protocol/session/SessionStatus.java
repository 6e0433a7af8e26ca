package dev.glovebox.protocol.session;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import dev.glovebox.protocol.JsonException;
import java.util.Arrays;
import java.util.Locale;

/// Where a session stands; `terminated` is final.
public enum SessionStatus {
    /// Waiting for input: a message, a confirmation, a tool result.
    IDLE,
    /// The agent loop is executing.
    RUNNING,
    /// A passing fault; the platform tries again by itself.
    RESCHEDULING,
    /// Over for good.
    TERMINATED;

    /// The word on the wire.
    @JsonValue
    public String wire() {
        return name().toLowerCase(Locale.ROOT);
    }

    /// Reads the word on the wire.
    @JsonCreator
    public static SessionStatus of(String word) {
        return Arrays.stream(values())
                .filter(s -> s.wire().equals(word))
                .findFirst()
                .orElseThrow(() -> new JsonException("status: unknown session status " + word));
    }
}
