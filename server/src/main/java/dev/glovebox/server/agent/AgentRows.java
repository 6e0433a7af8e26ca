package dev.glovebox.server.agent;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.Problem;
import dev.glovebox.protocol.ProblemException;
import dev.glovebox.server.http.Paging;
import dev.glovebox.server.store.Ticks;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jdbi.v3.core.Handle;
import tools.jackson.databind.node.ObjectNode;

/// Agents in the store: one row an agent, one row a version. The body of a version never changes;
/// what holds for all versions, that the agent is archived, is put in when it is read.
final class AgentRows {
    /// Sorts after every time.
    private static final String AFTER_ALL = "~";

    private AgentRows() {}

    static void insert(Handle handle, ObjectNode agent) {
        handle.createUpdate(
                        """
                        INSERT INTO agents (id, version, created_at, updated_at)
                        VALUES (:id, 1, :now, :now)
                        """)
                .bind("id", agent.path("id").stringValue())
                .bind("now", agent.path("created_at").stringValue())
                .execute();
        insertVersion(handle, agent);
    }

    static void update(Handle handle, ObjectNode agent) {
        handle.createUpdate(
                        """
                        UPDATE agents SET version = :version, updated_at = :now WHERE id = :id
                        """)
                .bind("id", agent.path("id").stringValue())
                .bind("version", agent.path("version").longValue())
                .bind("now", agent.path("updated_at").stringValue())
                .execute();
        insertVersion(handle, agent);
    }

    private static void insertVersion(Handle handle, ObjectNode agent) {
        handle.createUpdate(
                        """
                        INSERT INTO agent_versions (agent_id, version, created_at, body)
                        VALUES (:id, :version, :now, :body)
                        """)
                .bind("id", agent.path("id").stringValue())
                .bind("version", agent.path("version").longValue())
                .bind("now", agent.path("updated_at").stringValue())
                .bind("body", Json.write(agent))
                .execute();
    }

    static void archive(Handle handle, String id, String now) {
        handle.createUpdate(
                        """
                        UPDATE agents SET archived_at = coalesce(archived_at, :now) WHERE id = :id
                        """)
                .bind("id", id)
                .bind("now", now)
                .execute();
    }

    /// One version of an agent, archived or not; the latest when none is named (404).
    static ObjectNode require(Handle handle, String id, OptionalLong version) {
        return handle.createQuery(
                        """
                        SELECT v.body, a.archived_at FROM agents a
                        JOIN agent_versions v ON v.agent_id = a.id
                            AND v.version = coalesce(:version, a.version)
                        WHERE a.id = :id
                        """)
                .bind("id", id)
                .bind("version", version.isPresent() ? version.getAsLong() : null)
                .map((row, _) -> agent(row))
                .findOne()
                .orElseThrow(() -> missing(id, version));
    }

    private static ProblemException missing(String id, OptionalLong version) {
        String of = version.isPresent() ? "version " + version.getAsLong() + " of " : "";
        return ProblemException.of(Problem.Kind.NOT_FOUND, of + "agent " + id + " does not exist");
    }

    /// Latest versions, newest agent first, one more than the limit.
    static List<ObjectNode> list(
            Handle handle,
            Paging paging,
            Optional<Instant> from,
            Optional<Instant> to,
            boolean archived) {
        List<String> after = paging.after().orElse(List.of(AFTER_ALL, ""));
        return handle.createQuery(
                        """
                        SELECT v.body, a.archived_at FROM agents a
                        JOIN agent_versions v ON v.agent_id = a.id AND v.version = a.version
                        WHERE (a.created_at, a.id) < (:created, :id)
                          AND a.created_at >= :from AND a.created_at <= :to
                          AND (:archived = 1 OR a.archived_at IS NULL)
                        ORDER BY a.created_at DESC, a.id DESC LIMIT :limit
                        """)
                .bind("created", after.getFirst())
                .bind("id", after.getLast())
                .bind("from", from.map(Ticks::text).orElse(""))
                .bind("to", to.map(Ticks::text).orElse(AFTER_ALL))
                .bind("archived", archived ? 1 : 0)
                .bind("limit", paging.limit() + 1)
                .map((row, _) -> agent(row))
                .list();
    }

    /// Versions of one agent, newest first, one more than the limit.
    static List<ObjectNode> versions(Handle handle, String id, Paging paging) {
        long before =
                paging.after().map(keys -> Long.parseLong(keys.getFirst())).orElse(Long.MAX_VALUE);
        return handle.createQuery(
                        """
                        SELECT v.body, a.archived_at FROM agents a
                        JOIN agent_versions v ON v.agent_id = a.id
                        WHERE a.id = :id AND v.version < :before
                        ORDER BY v.version DESC LIMIT :limit
                        """)
                .bind("id", id)
                .bind("before", before)
                .bind("limit", paging.limit() + 1)
                .map((row, _) -> agent(row))
                .list();
    }

    private static ObjectNode agent(ResultSet row) throws SQLException {
        ObjectNode agent = Json.read(row.getString("body"), ObjectNode.class);
        return agent.put("archived_at", row.getString("archived_at"));
    }
}
