package dev.glovebox.server.session;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.Problem;
import dev.glovebox.protocol.ProblemException;
import dev.glovebox.protocol.event.StopReason;
import dev.glovebox.protocol.session.SessionStatus;
import dev.glovebox.protocol.session.Usage;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Optional;
import org.jdbi.v3.core.Handle;
import org.jspecify.annotations.Nullable;

/// The moving part of a session in the database.
record SessionRow(
        String id,
        String environmentId,
        boolean selfHosted,
        SessionState state,
        Progress progress,
        Activity activity) {

    /// How far the log and the turns have come.
    ///
    /// @param position the last position given to an event
    /// @param turn counts turns; what an older one still says is dropped
    /// @param openSpan the model request that has started and not ended
    record Progress(long position, long turn, @Nullable String openSpan, Usage usage) {}

    /// Time spent.
    ///
    /// @param activeMicros running, until [#runningSince]
    record Activity(long activeMicros, @Nullable String runningSince, @Nullable String idleSince) {}

    static Optional<SessionRow> find(Handle handle, String id) {
        return handle.createQuery(
                        """
                        SELECT id, environment_id, self_hosted, status, stop_reason, position, turn,
                            open_span, usage, active_micros, running_since, idle_since
                        FROM sessions WHERE id = :id
                        """)
                .bind("id", id)
                .map((row, _) -> read(row))
                .findOne();
    }

    static SessionRow require(Handle handle, String id) {
        return find(handle, id).orElseThrow(() -> missing(id));
    }

    static ProblemException missing(String id) {
        return ProblemException.of(Problem.Kind.NOT_FOUND, "session " + id + " does not exist");
    }

    private static SessionRow read(ResultSet row) throws SQLException {
        return new SessionRow(
                row.getString("id"),
                row.getString("environment_id"),
                row.getBoolean("self_hosted"),
                state(row.getString("status"), row.getString("stop_reason")),
                new Progress(
                        row.getLong("position"),
                        row.getLong("turn"),
                        row.getString("open_span"),
                        Json.read(row.getString("usage"), Usage.class)),
                new Activity(
                        row.getLong("active_micros"),
                        row.getString("running_since"),
                        row.getString("idle_since")));
    }

    private static SessionState state(String status, @Nullable String stopReason) {
        return switch (SessionStatus.of(status)) {
            case IDLE ->
                    new SessionState.Idle(
                            Optional.ofNullable(stopReason)
                                    .map(json -> Json.read(json, StopReason.class)));
            case RUNNING -> new SessionState.Running();
            case RESCHEDULING -> new SessionState.Rescheduling();
            case TERMINATED -> new SessionState.Terminated();
        };
    }
}
