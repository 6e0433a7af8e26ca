package dev.glovebox.server.session;

import dev.glovebox.protocol.IdKind;
import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.ProblemException;
import dev.glovebox.server.agent.Agents;
import dev.glovebox.server.agent.Environments;
import dev.glovebox.server.http.Access;
import dev.glovebox.server.http.Call;
import dev.glovebox.server.http.Fields;
import dev.glovebox.server.http.Reply;
import dev.glovebox.server.http.Router;
import dev.glovebox.server.store.Store;
import dev.glovebox.server.store.Ticks;
import dev.glovebox.server.store.Transaction;
import java.time.Clock;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.node.ObjectNode;

/// `/v1/sessions`: sessions as objects; what happens in them is [EventsResource].
public final class SessionsResource {
    private static final String PATH = "/v1/sessions";
    private static final Set<String> UPDATABLE =
            Set.of("title", "metadata", "agent", "budget", "vault_ids");

    private final Store store;
    private final SessionParts parts;
    private final Agents agents;
    private final Clock clock;

    /// @param clock for the durations a session shows
    public SessionsResource(Store store, SessionParts parts, Agents agents, Clock clock) {
        this.store = store;
        this.parts = parts;
        this.agents = agents;
        this.clock = clock;
    }

    /// Adds the endpoints.
    public void addTo(Router router) {
        router.post(PATH, Access.OWNER, this::create)
                .get(PATH, Access.OWNER, this::list)
                .get(PATH + "/{s}", Access.ALL, this::retrieve)
                .post(PATH + "/{s}", Access.OWNER, this::update)
                .delete(PATH + "/{s}", Access.OWNER, this::delete)
                .post(PATH + "/{s}/archive", Access.OWNER, this::archive);
    }

    private Reply create(Call call) {
        NewSession wanted = NewSession.of(call.json());
        String id = IdKind.SESSION.next(parts.random());
        return store.write(tx -> {
            Environments.Facts environment = wanted.checkEnvironment(tx.handle());
            ObjectNode agent = wanted.snapshot(tx.handle(), agents);
            insert(tx, id, wanted, environment, agent);
            if (!wanted.initialEvents().isEmpty()) {
                SessionEdit session = SessionEdit.open(parts, tx, id);
                new Inbox(session).takeInitial(wanted.initialEvents());
                session.save();
            }
            return Reply.ok(SessionJson.require(tx.handle(), id, tx.now()));
        });
    }

    private static void insert(
            Transaction tx,
            String id,
            NewSession wanted,
            Environments.Facts environment,
            ObjectNode agent) {
        tx.handle()
                .createUpdate(
                        """
                        INSERT INTO sessions (id, environment_id, self_hosted, agent_id,
                            agent_version, agent, title, metadata, resources, vault_ids, status,
                            usage, position, turn, active_micros, created_at, updated_at)
                        VALUES (:id, :environment, :selfHosted, :agentId, :agentVersion, :agent,
                            :title, :metadata, '[]', '[]', 'idle', '{}', 0, 0, 0, :now, :now)
                        """)
                .bind("id", id)
                .bind("environment", environment.id())
                .bind("selfHosted", environment.selfHosted() ? 1 : 0)
                .bind("agentId", agent.path("id").stringValue())
                .bind("agentVersion", agent.path("version").longValue())
                .bind("agent", Json.write(agent))
                .bind("title", wanted.title())
                .bind("metadata", Json.write(wanted.metadata()))
                .bind("now", tx.now())
                .execute();
    }

    private Reply retrieve(Call call) {
        String id = call.path("s");
        String now = Ticks.text(clock.instant());
        return store.read(handle -> {
            ObjectNode session = SessionJson.require(handle, id, now);
            call.caller().mustReach(id, session.path("environment_id").stringValue());
            return Reply.ok(session);
        });
    }

    private Reply list(Call call) {
        SessionList list = SessionList.of(call.query(), Ticks.text(clock.instant()));
        return store.read(handle -> Reply.ok(list.page(handle)));
    }

    private Reply update(Call call) {
        String id = call.path("s");
        Fields sent = call.json().only(UPDATABLE);
        if (sent.has("vault_ids")) {
            throw sent.refuse("vault_ids", "cannot be changed");
        }
        if (sent.has("budget") && !sent.isNull("budget")) {
            throw sent.refuse("budget", "cannot be added to a session");
        }
        return store.write(tx -> {
            SessionEdit session = SessionEdit.open(parts, tx, id);
            new SessionUpdate(session, agents).apply(sent);
            session.save();
            return Reply.ok(SessionJson.require(tx.handle(), id, tx.now()));
        });
    }

    private Reply archive(Call call) {
        String id = call.path("s");
        return store.write(tx -> {
            SessionEdit session = SessionEdit.open(parts, tx, id);
            refuseWhileBusy(session, "archived");
            if (!(session.state() instanceof SessionState.Terminated)) {
                session.terminate();
                session.save();
            }
            tx.handle()
                    .createUpdate(
                            """
                            UPDATE sessions SET archived_at = coalesce(archived_at, :now)
                            WHERE id = :id
                            """)
                    .bind("now", tx.now())
                    .bind("id", id)
                    .execute();
            return Reply.ok(SessionJson.require(tx.handle(), id, tx.now()));
        });
    }

    private Reply delete(Call call) {
        String id = call.path("s");
        return store.write(tx -> {
            SessionEdit session = SessionEdit.open(parts, tx, id);
            refuseWhileBusy(session, "deleted");
            parts.queue().end(tx, id);
            tx.handle()
                    .createUpdate("DELETE FROM sessions WHERE id = :id")
                    .bind("id", id)
                    .execute();
            ObjectNode farewell =
                    Events.of("session.deleted")
                            .put("id", IdKind.EVENT.next(parts.random()))
                            .put("processed_at", tx.now());
            tx.afterCommit(() -> {
                parts.streams().publish(id, "session.deleted", Json.write(farewell));
                parts.streams().end(id);
            });
            return Reply.deleted(id, "session_deleted");
        });
    }

    private static void refuseWhileBusy(SessionEdit session, String what) {
        if (session.state().busy()) {
            throw ProblemException.invalid(
                    "session "
                            + session.id()
                            + " is "
                            + session.state().status().wire()
                            + " and cannot be "
                            + what
                            + "; send user.interrupt first");
        }
    }

    /// A change to a session that exists.
    private record SessionUpdate(SessionEdit session, Agents agents) {
        void apply(Fields sent) {
            if (session.state() instanceof SessionState.Terminated) {
                throw ProblemException.invalid("session " + session.id() + " is archived");
            }
            ObjectNode changed = Events.of("session.updated");
            title(sent, changed);
            metadata(sent, changed);
            sent.object("agent").ifPresent(agent -> agent(agent, changed));
            if (changed.size() > 1) {
                session.append(changed);
            }
        }

        private void title(Fields sent, ObjectNode changed) {
            if (sent.has("title")) {
                String title = sent.optionalText("title", 1024).orElse(null);
                if (set("title", title)) {
                    changed.put("title", title);
                }
            }
        }

        private void metadata(Fields sent, ObjectNode changed) {
            Map<String, Optional<String>> changes = sent.metadata("metadata");
            ObjectNode metadata = Json.read(get("metadata"), ObjectNode.class);
            changes.forEach((key, value) ->
                    value.ifPresentOrElse(v -> metadata.put(key, v), () -> metadata.remove(key)));
            if (metadata.size() > Fields.MAX_METADATA) {
                throw sent.refuse("metadata", "must have at most 16 pairs");
            }
            if (set("metadata", Json.write(metadata))) {
                changed.set("metadata", metadata);
            }
        }

        private void agent(Fields sent, ObjectNode changed) {
            sent.only(Set.of("tools", "mcp_servers"));
            if (session.state().busy()) {
                throw sent.refuse("tools", "can be changed only while the session is idle");
            }
            ObjectNode agent = Json.read(get("agent"), ObjectNode.class);
            agents.override(agent, sent);
            if (set("agent", Json.write(agent))) {
                changed.set("agent", agent);
            }
        }

        private String get(String column) {
            return handle().createQuery("SELECT " + column + " FROM sessions WHERE id = :id")
                    .bind("id", session.id())
                    .mapTo(String.class)
                    .one();
        }

        /// Stores a value and tells whether it is another than before.
        private boolean set(String column, @org.jspecify.annotations.Nullable String value) {
            return handle().createUpdate(
                                    "UPDATE sessions SET "
                                            + column
                                            + " = :value WHERE id = :id AND "
                                            + column
                                            + " IS DISTINCT FROM :value")
                            .bind("value", value)
                            .bind("id", session.id())
                            .execute()
                    > 0;
        }

        private org.jdbi.v3.core.Handle handle() {
            return session.transaction().handle();
        }
    }
}
