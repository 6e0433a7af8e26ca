package dev.glovebox.server.work;

import dev.glovebox.protocol.Json;
import org.jdbi.v3.core.Handle;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// Work as the API shows it. Written from the store's own text, because a heartbeat that is parsed
/// and formatted again is another heartbeat.
final class WorkJson {
    private WorkJson() {}

    /// @param secret only in the answer to a poll
    static ObjectNode item(WorkItem item, @Nullable String secret) {
        ObjectNode json =
                Json.object()
                        .put("type", "work")
                        .put("id", item.origin().id())
                        .put("environment_id", item.origin().environmentId());
        json.putObject("data").put("type", "session").put("id", item.origin().sessionId());
        json.put("state", item.state().wire())
                .put("created_at", item.origin().createdAt())
                .put("acknowledged_at", item.times().acknowledgedAt())
                .put("started_at", item.times().startedAt())
                .put("latest_heartbeat_at", item.lease().heartbeat())
                .put("stop_requested_at", item.times().stopRequestedAt())
                .put("stopped_at", item.times().stoppedAt());
        json.set("metadata", Json.tree(item.origin().metadata()));
        return json.put("secret", secret);
    }

    static ObjectNode stats(Handle handle, String environmentId, long workersPolling) {
        return handle.createQuery(
                        """
                        SELECT count(CASE WHEN delivered_at IS NULL THEN 1 END) AS depth,
                               count(delivered_at) AS pending,
                               min(queued_at) AS oldest
                        FROM work WHERE environment_id = :environment AND state = 'queued'
                        """)
                .bind("environment", environmentId)
                .map((row, _) ->
                        Json.object()
                                .put("type", "work_queue_stats")
                                .put("depth", row.getLong("depth"))
                                .put("pending", row.getLong("pending"))
                                .put("oldest_queued_at", row.getString("oldest"))
                                .put("workers_polling", workersPolling))
                .one();
    }
}
