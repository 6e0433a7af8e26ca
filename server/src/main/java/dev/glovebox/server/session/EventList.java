package dev.glovebox.server.session;

import dev.glovebox.protocol.Page;
import dev.glovebox.protocol.ProblemException;
import dev.glovebox.server.http.Paging;
import dev.glovebox.server.http.Query;
import dev.glovebox.server.store.Ticks;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jdbi.v3.core.Handle;
import tools.jackson.databind.node.ObjectNode;

/// One request for a list of events, in the order of the log.
final class EventList {
    private static final int MAX_LIMIT = 1000;
    private static final int MAX_TYPES = 100;

    private final Paging paging;
    private final String scope;
    private final boolean descending;
    private final List<String> conditions = new ArrayList<>();
    private final Map<String, Object> values = new LinkedHashMap<>();

    private EventList(String sessionId, Query query) {
        this.descending = SessionList.descending(query, "asc");
        this.scope = "events " + sessionId + (descending ? " desc" : " asc");
        this.paging = Paging.of(query, scope, 1, MAX_LIMIT, MAX_LIMIT);
        conditions.add("session_id = :session");
        values.put("session", sessionId);
        types(query.all("types"));
        SessionList.COMPARISONS.forEach((word, operator) ->
                query.time("created_at[" + word + "]")
                        .ifPresent(time -> {
                            conditions.add("processed_at " + operator + " :" + word);
                            values.put(word, Ticks.text(time));
                        }));
        paging.after()
                .ifPresent(keys -> {
                    conditions.add("position " + (descending ? "<" : ">") + " :after");
                    values.put("after", position(keys.getFirst()));
                });
    }

    static EventList of(String sessionId, Query query) {
        return new EventList(sessionId, query);
    }

    private static long position(String key) {
        try {
            return Long.parseLong(key);
        } catch (NumberFormatException _) {
            throw ProblemException.invalid("page: is not a cursor of this list");
        }
    }

    private void types(List<String> types) {
        if (types.isEmpty()) {
            return;
        }
        if (types.size() > MAX_TYPES) {
            throw ProblemException.invalid("types: must have at most " + MAX_TYPES + " items");
        }
        List<String> names = new ArrayList<>();
        for (String type : types) {
            values.put("type" + names.size(), type);
            names.add(":type" + names.size());
        }
        conditions.add("type IN (" + String.join(", ", names) + ")");
    }

    /// Reads the page.
    Page<ObjectNode> page(Handle handle) {
        List<EventRows.Row> rows =
                handle.createQuery(
                                "SELECT position, id, type, processed_at, body FROM events WHERE "
                                        + String.join(" AND ", conditions)
                                        + " ORDER BY position "
                                        + (descending ? "DESC" : "ASC")
                                        + " LIMIT :limit")
                        .bindMap(values)
                        .bind("limit", paging.limit() + 1)
                        .map((row, _) -> EventRows.read(row))
                        .list();
        var cut = paging.cut(rows);
        String next =
                cut.more()
                        ? Paging.cursor(scope, Long.toString(cut.rows().getLast().position()))
                        : null;
        return new Page<>(cut.rows().stream().map(EventRows.Row::json).toList(), next);
    }
}
