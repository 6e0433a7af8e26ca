package dev.glovebox.server.session;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jdbi.v3.core.Handle;
import org.jspecify.annotations.Nullable;

/// The calls of a session that somebody outside answers. A call is open until an event closes it;
/// the row of a closed one stays, so that a repeated answer is recognised.
final class Calls {
    private Calls() {}

    /// Who answers.
    enum Kind {
        /// A worker, with `user.tool_result`.
        SANDBOX,
        /// The agent's owner, with `user.custom_tool_result`.
        CUSTOM
    }

    /// Whether a person has to be asked first.
    enum Confirmation {
        NONE,
        WANTED,
        ALLOW,
        DENY
    }

    /// One call.
    ///
    /// @param id of its tool-use event
    /// @param answerId of the event that closed it
    record Call(
            String id,
            Kind kind,
            String name,
            Confirmation confirmation,
            @Nullable String answerId,
            @Nullable String answerType) {
        boolean open() {
            return answerId == null;
        }

        /// Whether a worker has something to do for it.
        boolean runnable() {
            return open() && kind == Kind.SANDBOX && confirmation != Confirmation.WANTED;
        }
    }

    static void open(Handle handle, String sessionId, long position, Call call) {
        handle.createUpdate(
                        """
                        INSERT INTO calls (id, session_id, position, kind, name, confirmation)
                        VALUES (:id, :session, :position, :kind, :name, :confirmation)
                        """)
                .bind("id", call.id)
                .bind("session", sessionId)
                .bind("position", position)
                .bind("kind", word(call.kind))
                .bind("name", call.name)
                .bind("confirmation", word(call.confirmation))
                .execute();
    }

    static void close(Handle handle, String id, String answerId, String answerType) {
        handle.createUpdate(
                        """
                        UPDATE calls SET answer_id = :answer, answer_type = :type WHERE id = :id
                        """)
                .bind("answer", answerId)
                .bind("type", answerType)
                .bind("id", id)
                .execute();
    }

    static void confirm(Handle handle, String id, Confirmation confirmation) {
        handle.createUpdate("UPDATE calls SET confirmation = :confirmation WHERE id = :id")
                .bind("confirmation", word(confirmation))
                .bind("id", id)
                .execute();
    }

    static Optional<Call> find(Handle handle, String sessionId, String id) {
        return handle.createQuery("SELECT * FROM calls WHERE id = :id AND session_id = :session")
                .bind("id", id)
                .bind("session", sessionId)
                .map((row, _) -> call(row))
                .findOne();
    }

    /// The open calls in the order in which they were made.
    static List<Call> open(Handle handle, String sessionId) {
        return handle.createQuery(
                        """
                        SELECT * FROM calls WHERE session_id = :session AND answer_id IS NULL
                        ORDER BY position
                        """)
                .bind("session", sessionId)
                .map((row, _) -> call(row))
                .list();
    }

    private static Call call(ResultSet row) throws SQLException {
        return new Call(
                row.getString("id"),
                Kind.valueOf(row.getString("kind").toUpperCase(Locale.ROOT)),
                row.getString("name"),
                Confirmation.valueOf(row.getString("confirmation").toUpperCase(Locale.ROOT)),
                row.getString("answer_id"),
                row.getString("answer_type"));
    }

    private static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
