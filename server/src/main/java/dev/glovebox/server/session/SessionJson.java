package dev.glovebox.server.session;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.session.Usage;
import dev.glovebox.server.store.Ticks;
import java.sql.ResultSet;
import java.sql.SQLException;
import org.jdbi.v3.core.Handle;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// Sessions as the API shows them.
final class SessionJson {
    private SessionJson() {}

    static ObjectNode require(Handle handle, String id, String now) {
        return handle.createQuery("SELECT * FROM sessions WHERE id = :id")
                .bind("id", id)
                .map((row, _) -> session(row, now))
                .findOne()
                .orElseThrow(() -> SessionRow.missing(id));
    }

    /// @param now for the durations
    static ObjectNode session(ResultSet row, String now) throws SQLException {
        ObjectNode json = Json.object().put("type", "session").put("id", row.getString("id"));
        json.set("agent", Json.tree(row.getString("agent")));
        json.put("environment_id", row.getString("environment_id"))
                .put("title", row.getString("title"))
                .put("status", row.getString("status"));
        json.set("resources", Json.tree(row.getString("resources")));
        json.set("vault_ids", Json.tree(row.getString("vault_ids")));
        json.set("metadata", Json.tree(row.getString("metadata")));
        json.putNull("budget");
        String since = row.getString("running_since");
        double active = seconds(row.getLong("active_micros") + micros(since, now));
        json.set("usage", usage(Json.read(row.getString("usage"), Usage.class), active));
        json.putObject("stats")
                .put("active_seconds", active)
                .put("duration_seconds", seconds(micros(row.getString("created_at"), now)));
        json.putArray("outcome_evaluations");
        return json.putNull("deployment_id")
                .put("created_at", row.getString("created_at"))
                .put("updated_at", row.getString("updated_at"))
                .put("archived_at", row.getString("archived_at"));
    }

    static ObjectNode usage(Usage usage, double activeSeconds) {
        ObjectNode json = (ObjectNode) Json.toTree(usage);
        return json.put("active_seconds", activeSeconds);
    }

    private static long micros(@Nullable String from, String to) {
        return from == null ? 0 : Math.max(0, Ticks.microsBetween(from, to));
    }

    private static double seconds(long micros) {
        return micros / 1e6;
    }
}
