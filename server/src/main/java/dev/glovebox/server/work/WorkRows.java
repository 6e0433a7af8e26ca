package dev.glovebox.server.work;

import dev.glovebox.protocol.Problem;
import dev.glovebox.protocol.ProblemException;
import dev.glovebox.protocol.work.WorkState;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.statement.SqlStatement;

/// Work items in the database.
final class WorkRows {
    private WorkRows() {}

    static void insert(Handle handle, WorkItem item) {
        bind(
                        handle.createUpdate(
                                """
                                INSERT INTO work (id, environment_id, session_id, state, metadata,
                                    created_at, queued_at, delivered_at, delivery, delivery_base,
                                    worker_id, acknowledged_at, started_at, heartbeat,
                                    previous_heartbeat, heartbeat_by, deadline_at,
                                    stop_requested_at, stopped_at)
                                VALUES (:id, :environment, :session, :state, :metadata, :created,
                                    :queued, :delivered, :delivery, :base, :worker, :acknowledged,
                                    :started, :heartbeat, :previous, :by, :deadline,
                                    :stopRequested, :stopped)
                                """),
                        item)
                .bind("environment", item.origin().environmentId())
                .bind("session", item.origin().sessionId())
                .bind("metadata", item.origin().metadata())
                .bind("created", item.origin().createdAt())
                .execute();
    }

    static void update(Handle handle, WorkItem item) {
        bind(
                        handle.createUpdate(
                                """
                                UPDATE work SET state = :state, queued_at = :queued,
                                    delivered_at = :delivered, delivery = :delivery,
                                    delivery_base = :base, worker_id = :worker,
                                    acknowledged_at = :acknowledged, started_at = :started,
                                    heartbeat = :heartbeat, previous_heartbeat = :previous,
                                    heartbeat_by = :by, deadline_at = :deadline,
                                    stop_requested_at = :stopRequested, stopped_at = :stopped
                                WHERE id = :id
                                """),
                        item)
                .execute();
    }

    private static <S extends SqlStatement<S>> S bind(S statement, WorkItem item) {
        return statement
                .bind("id", item.origin().id())
                .bind("state", item.state().wire())
                .bind("queued", item.times().queuedAt())
                .bind("delivered", item.delivery().at())
                .bind("delivery", item.delivery().number())
                .bind("base", item.delivery().base())
                .bind("worker", item.delivery().workerId())
                .bind("acknowledged", item.times().acknowledgedAt())
                .bind("started", item.times().startedAt())
                .bind("heartbeat", item.lease().heartbeat())
                .bind("previous", item.lease().previous())
                .bind("by", item.lease().by())
                .bind("deadline", item.lease().deadline())
                .bind("stopRequested", item.times().stopRequestedAt())
                .bind("stopped", item.times().stoppedAt());
    }

    static WorkItem require(Handle handle, String environmentId, String id) {
        return handle.createQuery(
                        "SELECT * FROM work WHERE id = :id AND environment_id = :environment")
                .bind("id", id)
                .bind("environment", environmentId)
                .map((row, _) -> item(row))
                .findOne()
                .orElseThrow(() ->
                        ProblemException.of(
                                Problem.Kind.NOT_FOUND, "work item " + id + " does not exist"));
    }

    /// The next item a poll may have: one that waits, or one whose delivery is older than the
    /// cutoff and was never acknowledged.
    static Optional<WorkItem> next(Handle handle, String environmentId, String cutoff) {
        return handle.createQuery(
                        """
                        SELECT * FROM work
                        WHERE environment_id = :environment AND state = 'queued'
                          AND (delivered_at IS NULL OR delivered_at <= :cutoff)
                        ORDER BY queued_at, id LIMIT 1
                        """)
                .bind("environment", environmentId)
                .bind("cutoff", cutoff)
                .map((row, _) -> item(row))
                .findOne();
    }

    /// The one item of the session that is not over.
    static Optional<WorkItem> live(Handle handle, String sessionId) {
        return handle.createQuery(
                        "SELECT * FROM work WHERE session_id = :session AND state <> 'stopped'")
                .bind("session", sessionId)
                .map((row, _) -> item(row))
                .findFirst();
    }

    /// Items whose deadline has passed.
    static List<WorkItem> overdue(Handle handle, String now) {
        return handle.createQuery("SELECT * FROM work WHERE deadline_at <= :now")
                .bind("now", now)
                .map((row, _) -> item(row))
                .list();
    }

    /// Leased items of sessions that have been idle, waiting for nothing, since before the cutoff.
    static List<WorkItem> forgotten(Handle handle, String cutoff) {
        return handle.createQuery(
                        """
                        SELECT work.* FROM work JOIN sessions ON sessions.id = work.session_id
                        WHERE work.state = 'active' AND sessions.status = 'idle'
                          AND sessions.idle_since <= :cutoff
                          AND work.started_at <= :cutoff
                          AND (sessions.stop_reason IS NULL
                               OR sessions.stop_reason NOT LIKE '%"requires_action"%')
                        """)
                .bind("cutoff", cutoff)
                .map((row, _) -> item(row))
                .list();
    }

    /// A session with calls for a worker and no item that would bring one.
    ///
    /// @param tries items it has had since it last got on
    /// @param lastStop when the latest of all its items ended, or when the session began to wait
    record Unattended(String sessionId, String environmentId, int tries, String lastStop) {}

    static List<Unattended> unattended(Handle handle) {
        return handle.createQuery(
                        """
                        SELECT s.id, s.environment_id,
                            (SELECT count(*) FROM work w
                             WHERE w.session_id = s.id AND w.created_at > s.idle_since) AS tries,
                            (SELECT max(w.stopped_at) FROM work w
                             WHERE w.session_id = s.id) AS last_stop,
                            s.idle_since
                        FROM sessions s
                        WHERE s.id IN (SELECT session_id FROM calls
                                       WHERE answer_id IS NULL AND kind = 'sandbox'
                                         AND confirmation IN ('none', 'allow'))
                          AND s.status = 'idle' AND s.self_hosted = 1
                          AND NOT EXISTS (SELECT 1 FROM work live
                                          WHERE live.session_id = s.id
                                            AND live.state <> 'stopped')
                        """)
                .map((row, _) -> {
                    String stopped = row.getString("last_stop");
                    return new Unattended(
                            row.getString("id"),
                            row.getString("environment_id"),
                            row.getInt("tries"),
                            stopped == null ? row.getString("idle_since") : stopped);
                })
                .list();
    }

    static WorkItem item(ResultSet row) throws SQLException {
        return new WorkItem(
                new WorkItem.Origin(
                        row.getString("id"),
                        row.getString("environment_id"),
                        row.getString("session_id"),
                        row.getString("created_at"),
                        row.getString("metadata")),
                WorkState.of(row.getString("state")),
                new WorkItem.Times(
                        row.getString("queued_at"),
                        row.getString("acknowledged_at"),
                        row.getString("started_at"),
                        row.getString("stop_requested_at"),
                        row.getString("stopped_at")),
                new WorkItem.Delivery(
                        row.getInt("delivery"),
                        row.getInt("delivery_base"),
                        row.getString("delivered_at"),
                        row.getString("worker_id")),
                new WorkItem.Lease(
                        row.getString("heartbeat"),
                        row.getString("previous_heartbeat"),
                        row.getString("heartbeat_by"),
                        row.getString("deadline_at")));
    }
}
