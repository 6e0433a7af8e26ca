package dev.glovebox.server.session;

import dev.glovebox.protocol.brain.Brain;
import dev.glovebox.protocol.event.StopReason;
import dev.glovebox.protocol.session.ModelUsage;
import dev.glovebox.server.store.Store;
import dev.glovebox.server.stream.Streams;
import dev.glovebox.server.work.WorkQueue;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.random.RandomGenerator;

/// The turns that are going on, each on a virtual thread of its own.
///
/// A turn's thread holds nothing that matters: the log is in the store, and the brain derives
/// everything from it. So ending a thread, or the whole process, loses at most the model request
/// that was on its way; [#recover] goes on from the log.
public final class Turns implements SessionParts.TurnStarter, AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Turns.class.getName());

    private final Store store;
    private final Brain brain;
    private final SessionParts parts;
    private final Histories histories;
    private final Duration retryPause;
    private final Map<String, Turn> running = new ConcurrentHashMap<>();
    private volatile boolean closed;

    /// @param retryPause how long the first pause after a passing fault is; it doubles with each
    public Turns(
            Store store,
            Brain brain,
            Streams streams,
            WorkQueue queue,
            RandomGenerator random,
            Duration retryPause) {
        this.store = store;
        this.brain = brain;
        this.parts = new SessionParts(streams, queue, this, random);
        this.histories = new Histories(store);
        this.retryPause = retryPause;
    }

    /// What changes of sessions need; its starter is this.
    public SessionParts parts() {
        return parts;
    }

    @Override
    public void start(String sessionId, long number) {
        if (closed) {
            return;
        }
        Turn turn = new Turn(store, brain, parts, histories, sessionId, number, retryPause);
        running.put(sessionId, turn);
        turn.start(() -> running.remove(sessionId, turn));
    }

    @Override
    public void cancel(String sessionId) {
        Turn turn = running.remove(sessionId);
        if (turn != null) {
            turn.cancel();
        }
    }

    /// Goes on with the sessions whose turn an earlier process did not end. Call once, before
    /// serving.
    public void recover() {
        List<String> cutOff =
                store.read(handle ->
                        handle.createQuery(
                                        """
                                        SELECT id FROM sessions
                                        WHERE status IN ('running', 'rescheduling')
                                        """)
                                .mapTo(String.class)
                                .list());
        for (String id : cutOff) {
            LOG.log(System.Logger.Level.INFO, "session {0} goes on after a restart", id);
            recover(id);
        }
    }

    private void recover(String id) {
        store.write(tx -> {
            SessionEdit session = SessionEdit.open(parts, tx, id);
            session.closeSpan(true, ModelUsage.NONE);
            if (session.state() instanceof SessionState.Rescheduling) {
                session.resume();
            }
            var open = session.openCalls();
            if (open.isEmpty()) {
                session.restartTurn();
            } else {
                session.rest(
                        new StopReason.RequiresAction(open.stream().map(Calls.Call::id).toList()));
            }
            session.save();
            return id;
        });
    }

    /// Ends all threads; their sessions stay as they are and are recovered by the next process.
    @Override
    public void close() {
        closed = true;
        List.copyOf(running.values()).forEach(Turn::cancel);
        List.copyOf(running.values()).forEach(Turn::join);
    }
}
