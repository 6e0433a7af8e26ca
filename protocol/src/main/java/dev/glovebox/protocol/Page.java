package dev.glovebox.protocol;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// One page of a list.
///
/// @param data the items, at most the `limit` asked for
/// @param nextPage opaque cursor of the page after this, `null` on the last one
/// @param <T> what is listed
public record Page<T>(List<T> data, @Nullable String nextPage) {
    public Page {
        data = List.copyOf(data);
    }
}
