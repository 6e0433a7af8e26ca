package dev.glovebox.server.http;

import dev.glovebox.protocol.ProblemException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/// The page that a request asks for: `limit` and an opaque `page` cursor.
///
/// A cursor is base64url of a scope and the keys of the last row of the page before. The scope says
/// which list (and which order) made it, so that a cursor of another list is refused and not
/// misread.
///
/// @param limit most rows wanted
/// @param after the keys of the row the page begins after; empty for the first page
public record Paging(int limit, Optional<List<String>> after) {
    private static final String SEPARATOR = "\u0000";

    /// Reads the query.
    ///
    /// @param scope names the list, and whatever else a cursor must not outlive
    /// @param keys how many keys a row has
    public static Paging of(Query query, String scope, int keys, int defaultLimit, int maxLimit) {
        int limit = (int) query.number("limit", 1, maxLimit).orElse(defaultLimit);
        return new Paging(limit, query.text("page").map(cursor -> decode(cursor, scope, keys)));
    }

    /// Makes the cursor for the page after a row.
    public static String cursor(String scope, String... keys) {
        String text = scope + SEPARATOR + String.join(SEPARATOR, keys);
        return Base64.getUrlEncoder()
                .withoutPadding()
                .encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    private static List<String> decode(String cursor, String scope, int keys) {
        try {
            String text = new String(Base64.getUrlDecoder().decode(cursor), StandardCharsets.UTF_8);
            List<String> parts = List.of(text.split(SEPARATOR, -1));
            if (parts.size() == keys + 1 && parts.getFirst().equals(scope)) {
                return parts.subList(1, parts.size());
            }
        } catch (IllegalArgumentException _) {
            // answered below, like a cursor of another list
        }
        throw ProblemException.invalid("page: is not a cursor of this list");
    }

    /// Cuts a list that was queried with one row more than the limit, and tells whether there is
    /// more.
    public <T> Cut<T> cut(List<T> rows) {
        return rows.size() > limit
                ? new Cut<>(rows.subList(0, limit), true)
                : new Cut<>(rows, false);
    }

    /// Rows of one page.
    public record Cut<T>(List<T> rows, boolean more) {}
}
