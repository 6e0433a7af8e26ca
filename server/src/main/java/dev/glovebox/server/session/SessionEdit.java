package dev.glovebox.server.session;

import dev.glovebox.protocol.IdKind;
import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.event.StopReason;
import dev.glovebox.protocol.session.ModelUsage;
import dev.glovebox.protocol.session.Usage;
import dev.glovebox.server.store.Ticks;
import dev.glovebox.server.store.Transaction;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// One session opened for change inside one transaction: the only way in which its log and its
/// state are ever written. Every method keeps the rules of the wire that span both:
///
/// - An event that is appended becomes visible on streams after the commit, in the order of the
///   log.
/// - `session.usage` comes right before every `session.status_idle`, and nothing after it: a
///   worker's idle countdown starts at the idle and is disarmed by anything that follows.
/// - A turn begins with `session.status_running` and, on a self-hosted environment, with a work
///   item in the queue, so that a worker warms up while the model thinks.
/// - Each turn has a number. A brain that was interrupted may still speak; its turn is over, and
///   what it says is dropped.
///
/// Nothing is stored of the state until [#save].
final class SessionEdit {
    private final SessionParts parts;
    private final Transaction tx;
    private final SessionRow before;
    private SessionState state;
    private long position;
    private long turn;
    private @Nullable String openSpan;
    private Usage usage;
    private long activeMicros;
    private @Nullable String runningSince;
    private @Nullable String idleSince;

    private SessionEdit(SessionParts parts, Transaction tx, SessionRow row) {
        this.parts = parts;
        this.tx = tx;
        this.before = row;
        this.state = row.state();
        this.position = row.progress().position();
        this.turn = row.progress().turn();
        this.openSpan = row.progress().openSpan();
        this.usage = row.progress().usage();
        this.activeMicros = row.activity().activeMicros();
        this.runningSince = row.activity().runningSince();
        this.idleSince = row.activity().idleSince();
    }

    /// Opens a session that has to exist (404).
    static SessionEdit open(SessionParts parts, Transaction tx, String id) {
        return new SessionEdit(parts, tx, SessionRow.require(tx.handle(), id));
    }

    /// Opens a session for the turn with this number; empty when that turn is over.
    static Optional<SessionEdit> ofTurn(SessionParts parts, Transaction tx, String id, long turn) {
        return SessionRow.find(tx.handle(), id)
                .filter(row -> row.progress().turn() == turn && row.state().busy())
                .map(row -> new SessionEdit(parts, tx, row));
    }

    String id() {
        return before.id();
    }

    boolean selfHosted() {
        return before.selfHosted();
    }

    SessionState state() {
        return state;
    }

    Transaction transaction() {
        return tx;
    }

    List<Calls.Call> openCalls() {
        return Calls.open(tx.handle(), id());
    }

    /// Stores an event as processed now.
    ///
    /// @param event without id and time
    /// @return the event as stored
    EventRows.Row append(ObjectNode event) {
        return store(event, tx.now());
    }

    /// Stores an event that waits for its turn.
    EventRows.Row queue(ObjectNode event) {
        return store(event, null);
    }

    private EventRows.Row store(ObjectNode event, @Nullable String processedAt) {
        String id = IdKind.EVENT.next(parts.random());
        event.put("id", id).put("processed_at", processedAt);
        String type = event.path("type").stringValue();
        EventRows.Row row = new EventRows.Row(++position, id, type, processedAt, Json.write(event));
        EventRows.insert(tx.handle(), id(), row);
        publish(row);
        return row;
    }

    private void publish(EventRows.Row row) {
        tx.afterCommit(() -> parts.streams().publish(id(), row.type(), row.body()));
    }

    /// Whether events wait for their turn.
    boolean hasQueued() {
        return !EventRows.queued(tx.handle(), id()).isEmpty();
    }

    /// Takes the next queued message, and what was sent right after it for the same turn, out of
    /// the queue and into the log, here and now.
    ///
    /// @return whether there was one
    boolean processNextQueued() {
        boolean taken = false;
        for (EventRows.Row row : EventRows.queued(tx.handle(), id())) {
            if (taken && row.type().equals("user.message")) {
                break;
            }
            process(row);
            taken = true;
        }
        return taken;
    }

    /// Takes everything out of the queue without acting on it: the turn it waited for is dead.
    void flushQueued() {
        EventRows.queued(tx.handle(), id()).forEach(this::process);
    }

    private void process(EventRows.Row row) {
        String now = tx.now();
        EventRows.Row processed =
                new EventRows.Row(
                        ++position,
                        row.id(),
                        row.type(),
                        now,
                        Json.write(row.json().put("processed_at", now)));
        EventRows.process(tx.handle(), processed);
        publish(processed);
    }

    /// Stops the thread of the turn that was going on.
    void cancelTurn() {
        tx.afterCommit(() -> parts.starter().cancel(id()));
    }

    /// Starts a turn, or goes on with one whose calls are all answered.
    void begin() {
        state = state.begin();
        turn++;
        runningSince = tx.now();
        idleSince = null;
        append(Events.of("session.status_running"));
        if (selfHosted()) {
            parts.queue().ensure(tx, before.environmentId(), id());
        }
        long number = turn;
        tx.afterCommit(() -> parts.starter().start(id(), number));
    }

    /// Tries again after a pause, in the same turn.
    void resume() {
        state = state.begin();
        runningSince = tx.now();
        append(Events.of("session.status_running"));
    }

    /// Has the turn that was cut off done again from the log.
    void restartTurn() {
        turn++;
        long number = turn;
        tx.afterCommit(() -> parts.starter().start(id(), number));
    }

    /// Pauses or ends the turn.
    void rest(StopReason reason) {
        rest(reason, null);
    }

    /// Pauses or ends the turn.
    ///
    /// @param details only with a refusal
    void rest(StopReason reason, @Nullable ObjectNode details) {
        state = state.rest(reason);
        if (!(reason instanceof StopReason.RequiresAction)) {
            turn++;
        } else if (Calls.open(tx.handle(), id()).stream().anyMatch(Calls.Call::runnable)) {
            parts.queue().ensure(tx, before.environmentId(), id());
        }
        ObjectNode used = Events.of("session.usage");
        used.set("usage", SessionJson.usage(usage, activeSeconds()));
        append(used.putNull("budget"));
        ObjectNode idle = Events.of("session.status_idle");
        idle.set("stop_reason", Json.toTree(reason));
        idle.set("stop_details", details);
        String at = append(idle).processedAt();
        idleSince = at;
        stopClock(tx.now());
    }

    /// Waits to try again.
    void reschedule() {
        state = state.reschedule();
        append(Events.of("session.status_rescheduled"));
        stopClock(tx.now());
    }

    /// Ends the session for good.
    void terminate() {
        state = state.terminate();
        turn++;
        append(Events.of("session.status_terminated"));
        stopClock(tx.now());
        parts.queue().end(tx, id());
    }

    private void stopClock(String now) {
        if (runningSince != null) {
            activeMicros += Ticks.microsBetween(runningSince, now);
            runningSince = null;
        }
    }

    private double activeSeconds() {
        long running = runningSince == null ? 0 : Ticks.microsBetween(runningSince, tx.now());
        return (activeMicros + running) / 1e6;
    }

    /// Lets a worker come if there is something for it to do and none is there.
    void callWorker() {
        if (selfHosted() && openCalls().stream().anyMatch(Calls.Call::runnable)) {
            parts.queue().ensure(tx, before.environmentId(), id());
        }
    }

    /// A model request begins.
    void openSpan() {
        openSpan = append(Events.of("span.model_request_start")).id();
    }

    /// The model request ends, if one is open.
    void closeSpan(boolean failed, ModelUsage used) {
        if (openSpan == null) {
            return;
        }
        ObjectNode end =
                Events.of("span.model_request_end")
                        .put("model_request_start_id", openSpan)
                        .put("is_error", failed);
        end.set("model_usage", Json.toTree(used));
        append(end);
        usage = usage.plus(used);
        openSpan = null;
    }

    /// Opens a call for somebody outside to answer.
    ///
    /// @param event the tool-use event, already appended
    void openCall(EventRows.Row event, Calls.Kind kind, String name, boolean ask) {
        Calls.open(
                tx.handle(),
                id(),
                event.position(),
                new Calls.Call(
                        event.id(),
                        kind,
                        name,
                        ask ? Calls.Confirmation.WANTED : Calls.Confirmation.NONE,
                        null,
                        null));
    }

    /// Writes the state back.
    void save() {
        tx.handle()
                .createUpdate(
                        """
                        UPDATE sessions SET status = :status, stop_reason = :reason,
                            position = :position, turn = :turn, open_span = :span, usage = :usage,
                            active_micros = :active, running_since = :running,
                            idle_since = :idle, updated_at = :now
                        WHERE id = :id
                        """)
                .bind("status", state.status().wire())
                .bind("reason", reason().map(Json::write).orElse(null))
                .bind("position", position)
                .bind("turn", turn)
                .bind("span", openSpan)
                .bind("usage", Json.write(usage))
                .bind("active", activeMicros)
                .bind("running", runningSince)
                .bind("idle", idleSince)
                .bind("now", tx.now())
                .bind("id", id())
                .execute();
    }

    private Optional<StopReason> reason() {
        return state instanceof SessionState.Idle(Optional<StopReason> reason)
                ? reason
                : Optional.empty();
    }
}
