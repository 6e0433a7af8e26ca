package dev.glovebox.server.agent;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.Problem;
import dev.glovebox.protocol.ProblemException;
import dev.glovebox.server.http.Paging;
import java.util.List;
import org.jdbi.v3.core.Handle;
import tools.jackson.databind.node.ObjectNode;

/// Environments in the store. The body is the object as the API shows it; the columns beside it are
/// what is searched by.
final class EnvironmentRows {
    private EnvironmentRows() {}

    static void insert(Handle handle, ObjectNode environment) {
        handle.createUpdate(
                        """
                        INSERT INTO environments
                            (id, name, kind, body, created_at, updated_at, archived_at)
                        VALUES (:id, :name, :kind, :body, :created, :updated, NULL)
                        """)
                .bind("id", text(environment, "id"))
                .bind("name", text(environment, "name"))
                .bind("kind", environment.path("config").path("type").stringValue())
                .bind("body", Json.write(environment))
                .bind("created", text(environment, "created_at"))
                .bind("updated", text(environment, "updated_at"))
                .execute();
    }

    static void update(Handle handle, ObjectNode environment) {
        handle.createUpdate(
                        """
                        UPDATE environments SET name = :name, body = :body, updated_at = :updated,
                            archived_at = :archived
                        WHERE id = :id
                        """)
                .bind("id", text(environment, "id"))
                .bind("name", text(environment, "name"))
                .bind("body", Json.write(environment))
                .bind("updated", text(environment, "updated_at"))
                .bind("archived", environment.path("archived_at").asString(null))
                .execute();
    }

    /// An environment that has to exist (404).
    static ObjectNode require(Handle handle, String id) {
        return handle.createQuery("SELECT body FROM environments WHERE id = :id")
                .bind("id", id)
                .map((row, _) -> Json.read(row.getString(1), ObjectNode.class))
                .findOne()
                .orElseThrow(() ->
                        ProblemException.of(
                                Problem.Kind.NOT_FOUND, "environment " + id + " does not exist"));
    }

    /// Newest first, one more than the limit.
    static List<ObjectNode> list(Handle handle, Paging paging, boolean archived) {
        List<String> after = paging.after().orElse(List.of("~", ""));
        return handle.createQuery(
                        """
                        SELECT body FROM environments
                        WHERE (created_at, id) < (:created, :id)
                          AND (:archived = 1 OR archived_at IS NULL)
                        ORDER BY created_at DESC, id DESC LIMIT :limit
                        """)
                .bind("created", after.getFirst())
                .bind("id", after.getLast())
                .bind("archived", archived ? 1 : 0)
                .bind("limit", paging.limit() + 1)
                .map((row, _) -> Json.read(row.getString(1), ObjectNode.class))
                .list();
    }

    static boolean nameTaken(Handle handle, String name, String exceptId) {
        return exists(
                handle.createQuery(
                                "SELECT 1 FROM environments WHERE name = :name AND id <> :except")
                        .bind("name", name)
                        .bind("except", exceptId));
    }

    static boolean hasSessions(Handle handle, String id) {
        return exists(
                handle.createQuery("SELECT 1 FROM sessions WHERE environment_id = :id LIMIT 1")
                        .bind("id", id));
    }

    /// Removes the environment with its keys and the work that is left of deleted sessions.
    static void delete(Handle handle, String id) {
        for (String statement :
                List.of(
                        "DELETE FROM credentials WHERE environment_id = :id",
                        "DELETE FROM work WHERE environment_id = :id",
                        "DELETE FROM environments WHERE id = :id")) {
            handle.createUpdate(statement).bind("id", id).execute();
        }
    }

    private static boolean exists(org.jdbi.v3.core.statement.Query query) {
        return query.mapTo(Integer.class).findFirst().isPresent();
    }

    private static String text(ObjectNode environment, String name) {
        return environment.path(name).stringValue();
    }
}
