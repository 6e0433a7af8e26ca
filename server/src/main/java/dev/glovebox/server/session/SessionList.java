package dev.glovebox.server.session;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.JsonException;
import dev.glovebox.protocol.ProblemException;
import dev.glovebox.protocol.session.SessionStatus;
import dev.glovebox.server.http.Paging;
import dev.glovebox.server.http.Query;
import dev.glovebox.server.store.Ticks;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jdbi.v3.core.Handle;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// One request for a list of sessions. Its cursor goes both ways and belongs to an order: it holds
/// a direction and the row to go on from.
final class SessionList {
    private static final int DEFAULT_LIMIT = 20;
    private static final int MAX_LIMIT = 100;
    private static final String FORWARD = "f";
    private static final String BACK = "b";

    /// The comparisons of a time that a filter may ask for.
    static final Map<String, String> COMPARISONS =
            Map.of("gt", ">", "gte", ">=", "lt", "<", "lte", "<=");

    private final Paging paging;
    private final String scope;
    private final boolean descending;
    private final boolean back;
    private final String now;
    private final List<String> conditions = new ArrayList<>();
    private final Map<String, Object> values = new LinkedHashMap<>();

    private SessionList(Query query, String now) {
        this.now = now;
        this.descending = descending(query, "desc");
        this.scope = "sessions " + (descending ? "desc" : "asc");
        this.paging = Paging.of(query, scope, 3, DEFAULT_LIMIT, MAX_LIMIT);
        this.back = paging.after().map(List::getFirst).filter(BACK::equals).isPresent();
        filter(query);
    }

    static SessionList of(Query query, String now) {
        return new SessionList(query, now);
    }

    /// Reads `order`.
    static boolean descending(Query query, String byDefault) {
        return switch (query.text("order").orElse(byDefault)) {
            case "asc" -> false;
            case "desc" -> true;
            default -> throw ProblemException.invalid("order: must be asc or desc");
        };
    }

    private void filter(Query query) {
        query.text("agent_id").ifPresent(id -> where("agent_id = :agent", "agent", id));
        var version = query.number("agent_version", 1, Integer.MAX_VALUE);
        if (version.isPresent()) {
            if (query.text("agent_id").isEmpty()) {
                throw ProblemException.invalid("agent_version: needs agent_id");
            }
            where("agent_version = :version", "version", version.getAsLong());
        }
        if (query.text("deployment_id").or(() -> query.text("memory_store_id")).isPresent()) {
            // neither exists here, so no session can have one
            conditions.add("1 = 0");
        }
        if (!query.flag("include_archived")) {
            conditions.add("archived_at IS NULL");
        }
        statuses(query.all("statuses"));
        COMPARISONS.forEach((word, operator) ->
                query.time("created_at[" + word + "]")
                        .ifPresent(time -> created(word, operator, Ticks.text(time))));
    }

    private void statuses(List<String> words) {
        if (words.isEmpty()) {
            return;
        }
        List<String> names = new ArrayList<>();
        for (String word : words) {
            try {
                values.put("status" + names.size(), SessionStatus.of(word).wire());
            } catch (JsonException _) {
                throw ProblemException.invalid("statuses: there is no status " + word);
            }
            names.add(":status" + names.size());
        }
        conditions.add("status IN (" + String.join(", ", names) + ")");
    }

    private void created(String word, String operator, String stamp) {
        where("created_at " + operator + " :created_" + word, "created_" + word, stamp);
        Optional<String> at = paging.after().map(keys -> keys.get(1));
        if (at.isPresent()) {
            int order = at.get().compareTo(stamp);
            boolean inside = operator.startsWith(">") ? order >= 0 : order <= 0;
            if (!inside) {
                throw ProblemException.invalid("page: lies outside of the created_at filter");
            }
        }
    }

    private void where(String condition, String name, Object value) {
        conditions.add(condition);
        values.put(name, value);
    }

    /// Reads the page.
    ObjectNode page(Handle handle) {
        boolean down = descending != back;
        paging.after()
                .ifPresent(keys -> {
                    conditions.add(
                            "(created_at, id) " + (down ? "<" : ">") + " (:afterTime, :afterId)");
                    values.put("afterTime", keys.get(1));
                    values.put("afterId", keys.get(2));
                });
        String order = down ? "DESC" : "ASC";
        String where = conditions.isEmpty() ? "" : " WHERE " + String.join(" AND ", conditions);
        List<ObjectNode> rows =
                new ArrayList<>(
                        handle.createQuery(
                                        "SELECT * FROM sessions"
                                                + where
                                                + " ORDER BY created_at "
                                                + order
                                                + ", id "
                                                + order
                                                + " LIMIT :limit")
                                .bindMap(values)
                                .bind("limit", paging.limit() + 1)
                                .map((row, _) -> SessionJson.session(row, now))
                                .list());
        var cut = paging.cut(rows);
        List<ObjectNode> shown = new ArrayList<>(cut.rows());
        if (back) {
            Collections.reverse(shown);
        }
        return answer(shown, cut.more());
    }

    private ObjectNode answer(List<ObjectNode> shown, boolean more) {
        boolean hasNext = back || more;
        boolean hasPrevious = back ? more : paging.after().isPresent();
        ObjectNode answer = Json.object();
        answer.set("data", Json.toTree(shown));
        answer.put(
                "next_page", hasNext && !shown.isEmpty() ? cursor(FORWARD, shown.getLast()) : null);
        answer.put(
                "prev_page",
                hasPrevious && !shown.isEmpty() ? cursor(BACK, shown.getFirst()) : null);
        return answer;
    }

    private @Nullable String cursor(String direction, ObjectNode session) {
        return Paging.cursor(
                scope,
                direction,
                session.path("created_at").stringValue(),
                session.path("id").stringValue());
    }
}
