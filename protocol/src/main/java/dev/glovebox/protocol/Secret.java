package dev.glovebox.protocol;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;

/// A value that must not be seen: it cannot be printed, logged, compared in variable time or
/// written as JSON by accident.
public final class Secret {
    private final String value;

    /// @param value the secret text, not empty
    public Secret(String value) {
        if (value.isEmpty()) {
            throw new IllegalArgumentException("a secret must not be empty");
        }
        this.value = value;
    }

    /// The text itself, for the one place that sends it.
    public String reveal() {
        return value;
    }

    /// Whether the other is the same, in time that does not depend on where they differ.
    @Override
    public boolean equals(Object other) {
        return other instanceof Secret secret
                && MessageDigest.isEqual(
                        value.getBytes(StandardCharsets.UTF_8),
                        secret.value.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public int hashCode() {
        return 0;
    }

    @Override
    public String toString() {
        return "[secret]";
    }
}
