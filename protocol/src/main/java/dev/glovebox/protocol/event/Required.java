package dev.glovebox.protocol.event;

import dev.glovebox.protocol.JsonException;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What the canonical constructors of wire records ask of their members: a missing one is a
/// [JsonException] naming it.
final class Required {
    private Required() {}

    static <T> T value(String name, @Nullable T value) {
        if (value == null) {
            throw new JsonException(name + ": is required");
        }
        return value;
    }

    static <T> List<T> list(String name, @Nullable List<T> value) {
        return List.copyOf(value(name, value));
    }

    static <T> List<T> listOrEmpty(@Nullable List<T> value) {
        return value == null ? List.of() : List.copyOf(value);
    }

    /// Jackson gives a missing `Optional` as null when the record is read from a tree.
    @SuppressWarnings("NullableOptional")
    static <T> Optional<T> optional(@Nullable Optional<T> value) {
        return value == null ? Optional.empty() : value;
    }
}
