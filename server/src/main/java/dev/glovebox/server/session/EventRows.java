package dev.glovebox.server.session;

import dev.glovebox.protocol.Json;
import java.util.List;
import java.util.Optional;
import org.jdbi.v3.core.Handle;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// The log of every session in the database.
final class EventRows {
    private EventRows() {}

    /// One event.
    ///
    /// @param processedAt `null` while it is queued
    record Row(long position, String id, String type, @Nullable String processedAt, String body) {
        ObjectNode json() {
            return Json.read(body, ObjectNode.class);
        }
    }

    static void insert(Handle handle, String sessionId, Row row) {
        handle.createUpdate(
                        """
                        INSERT INTO events (id, session_id, position, type, processed_at, body)
                        VALUES (:id, :session, :position, :type, :processed, :body)
                        """)
                .bind("id", row.id)
                .bind("session", sessionId)
                .bind("position", row.position)
                .bind("type", row.type)
                .bind("processed", row.processedAt)
                .bind("body", row.body)
                .execute();
    }

    /// Moves a queued event to where it is processed.
    static void process(Handle handle, Row row) {
        handle.createUpdate(
                        """
                        UPDATE events SET position = :position, processed_at = :processed,
                            body = :body WHERE id = :id
                        """)
                .bind("id", row.id)
                .bind("position", row.position)
                .bind("processed", row.processedAt)
                .bind("body", row.body)
                .execute();
    }

    static List<Row> queued(Handle handle, String sessionId) {
        return handle.createQuery(
                        """
                        SELECT position, id, type, processed_at, body FROM events
                        WHERE session_id = :session AND processed_at IS NULL ORDER BY position
                        """)
                .bind("session", sessionId)
                .map((row, _) -> read(row))
                .list();
    }

    /// What has been processed after a position.
    static List<Row> processedAfter(Handle handle, String sessionId, long position) {
        return handle.createQuery(
                        """
                        SELECT position, id, type, processed_at, body FROM events
                        WHERE session_id = :session AND position > :position
                          AND processed_at IS NOT NULL ORDER BY position
                        """)
                .bind("session", sessionId)
                .bind("position", position)
                .map((row, _) -> read(row))
                .list();
    }

    static Row require(Handle handle, String id) {
        return handle.createQuery(
                        """
                        SELECT position, id, type, processed_at, body FROM events WHERE id = :id
                        """)
                .bind("id", id)
                .map((row, _) -> read(row))
                .one();
    }

    /// The confirmation that a call was given.
    static Optional<Row> confirmation(Handle handle, String sessionId, String callId) {
        return handle.createQuery(
                        """
                        SELECT position, id, type, processed_at, body FROM events
                        WHERE session_id = :session AND type = 'user.tool_confirmation'
                        ORDER BY position
                        """)
                .bind("session", sessionId)
                .map((row, _) -> read(row))
                .filter(row -> row.json().path("tool_use_id").asString("").equals(callId))
                .findFirst();
    }

    static Row read(java.sql.ResultSet row) throws java.sql.SQLException {
        return new Row(
                row.getLong("position"),
                row.getString("id"),
                row.getString("type"),
                row.getString("processed_at"),
                row.getString("body"));
    }
}
