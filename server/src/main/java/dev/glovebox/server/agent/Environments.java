package dev.glovebox.server.agent;

import dev.glovebox.protocol.Problem;
import dev.glovebox.protocol.ProblemException;
import java.util.Optional;
import org.jdbi.v3.core.Handle;

/// What sessions, work and keys need of environments.
public final class Environments {
    private Environments() {}

    /// The facts about one environment.
    ///
    /// @param selfHosted whether its sandbox tools run on workers
    public record Facts(String id, boolean selfHosted, boolean archived) {}

    /// Looks an environment up.
    public static Optional<Facts> find(Handle handle, String id) {
        return handle.createQuery("SELECT kind, archived_at FROM environments WHERE id = :id")
                .bind("id", id)
                .map((row, _) ->
                        new Facts(
                                id,
                                row.getString(1).equals("self_hosted"),
                                row.getString(2) != null))
                .findOne();
    }

    /// Looks an environment up that has to exist (404).
    public static Facts require(Handle handle, String id) {
        return find(handle, id)
                .orElseThrow(() ->
                        ProblemException.of(
                                Problem.Kind.NOT_FOUND, "environment " + id + " does not exist"));
    }

    /// Looks an environment up that has to exist (404) and to have a queue (400).
    public static Facts requireSelfHosted(Handle handle, String id) {
        Facts facts = require(handle, id);
        if (!facts.selfHosted()) {
            throw ProblemException.invalid(
                    "environment " + id + " is not self-hosted and has no work queue");
        }
        return facts;
    }
}
