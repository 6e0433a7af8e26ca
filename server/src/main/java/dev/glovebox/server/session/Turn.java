package dev.glovebox.server.session;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.agent.SessionAgent;
import dev.glovebox.protocol.brain.Brain;
import dev.glovebox.protocol.event.StopReason;
import dev.glovebox.protocol.session.ModelUsage;
import dev.glovebox.server.store.Store;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// One turn of one session, as long as it needs no answer from outside: asks the brain for step
/// after step until it waits or is done.
///
/// What the brain says is submitted to the store as it comes and not waited for; the order of the
/// writer's queue is the order of the log. Only the end of a step is waited for, and by then all
/// before it is on the disk. Often the whole step shares one commit.
final class Turn {
    /// Tries of a step that fails in passing, before the turn is given up.
    static final int MAX_TRIES = 5;

    private static final System.Logger LOG = System.getLogger(Turn.class.getName());

    private final Store store;
    private final Brain brain;
    private final SessionParts parts;
    private final Histories histories;
    private final String sessionId;
    private final long number;
    private final Duration retryPause;
    private volatile @Nullable Thread thread;
    private volatile boolean cancelled;

    Turn(
            Store store,
            Brain brain,
            SessionParts parts,
            Histories histories,
            String sessionId,
            long number,
            Duration retryPause) {
        this.store = store;
        this.brain = brain;
        this.parts = parts;
        this.histories = histories;
        this.sessionId = sessionId;
        this.number = number;
        this.retryPause = retryPause;
    }

    void start(Runnable whenOver) {
        thread =
                Thread.ofVirtual()
                        .name("turn " + sessionId)
                        .start(() -> {
                            try {
                                run();
                            } finally {
                                whenOver.run();
                            }
                        });
    }

    void cancel() {
        cancelled = true;
        Thread running = thread;
        if (running != null) {
            running.interrupt();
        }
    }

    void join() {
        Thread running = thread;
        if (running != null) {
            try {
                running.join();
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /// What follows a step.
    private enum After {
        STEP,
        PAUSE,
        LEAVE
    }

    private void run() {
        try {
            SessionAgent agent = agent();
            int failures = 0;
            while (true) {
                Brain.Next next = step(agent);
                failures = next instanceof Brain.Next.Failed ? failures + 1 : 0;
                switch (finish(next, failures)) {
                    case STEP -> {}
                    case PAUSE -> pause(failures);
                    case LEAVE -> {
                        return;
                    }
                }
            }
        } catch (InterruptedException _) {
            LOG.log(System.Logger.Level.DEBUG, "turn of {0} cancelled", sessionId);
        } catch (RuntimeException e) {
            // a cancelled thread fails in whatever it was doing
            var level = cancelled ? System.Logger.Level.DEBUG : System.Logger.Level.ERROR;
            LOG.log(level, "turn of " + sessionId + " failed", e);
        }
    }

    private SessionAgent agent() {
        String json =
                store.read(handle ->
                        handle.createQuery("SELECT agent FROM sessions WHERE id = :id")
                                .bind("id", sessionId)
                                .mapTo(String.class)
                                .one());
        return Json.read(json, SessionAgent.class);
    }

    private Brain.Next step(SessionAgent agent) throws InterruptedException {
        var request = new Brain.Request(sessionId, agent, histories.read(sessionId));
        TurnOutput output = new TurnOutput(store, parts, agent, sessionId, number);
        output.edit(SessionEdit::openSpan);
        Brain.Next next;
        try {
            next = brain.step(request, output);
        } catch (RuntimeException e) {
            mustGoOn();
            LOG.log(System.Logger.Level.ERROR, "the brain of " + sessionId + " failed", e);
            next =
                    new Brain.Next.Failed(
                            "unknown_error",
                            "the agent loop failed, see the server's log",
                            Brain.Retry.EXHAUSTED);
        }
        mustGoOn();
        ModelUsage used = output.used();
        boolean failed = next instanceof Brain.Next.Failed;
        output.edit(session -> session.closeSpan(failed, used));
        return next;
    }

    /// A brain that was interrupted may return or fail in any way; none of it counts.
    private void mustGoOn() throws InterruptedException {
        if (cancelled || Thread.interrupted()) {
            throw new InterruptedException();
        }
    }

    private After finish(Brain.Next next, int failures) {
        return store.write(tx -> {
            Optional<SessionEdit> found = SessionEdit.ofTurn(parts, tx, sessionId, number);
            if (found.isEmpty()) {
                return After.LEAVE;
            }
            SessionEdit session = found.get();
            After after = decide(session, next, failures);
            session.save();
            return after;
        });
    }

    private static After decide(SessionEdit session, Brain.Next next, int failures) {
        return switch (next) {
            case Brain.Next.Continue _ -> After.STEP;
            case Brain.Next.AwaitResults _ -> awaitResults(session);
            case Brain.Next.EndTurn _ -> endTurn(session);
            case Brain.Next.Refusal(Optional<String> category, Optional<String> explanation) -> {
                ObjectNode details =
                        Json.object()
                                .put("type", "refusal")
                                .put("category", category.orElse(null))
                                .put("explanation", explanation.orElse(null));
                session.rest(new StopReason.Refusal(), details);
                yield nextTurn(session);
            }
            case Brain.Next.Failed failed -> fail(session, failed, failures);
        };
    }

    private static After awaitResults(SessionEdit session) {
        List<String> open = session.openCalls().stream().map(Calls.Call::id).toList();
        if (open.isEmpty()) {
            return After.STEP;
        }
        session.rest(new StopReason.RequiresAction(open));
        return After.LEAVE;
    }

    private static After endTurn(SessionEdit session) {
        if (!session.openCalls().isEmpty()) {
            return awaitResults(session);
        }
        if (session.processNextQueued()) {
            return After.STEP;
        }
        session.rest(new StopReason.EndTurn());
        return After.LEAVE;
    }

    private static After nextTurn(SessionEdit session) {
        if (session.processNextQueued()) {
            session.begin();
        }
        return After.LEAVE;
    }

    private static After fail(SessionEdit session, Brain.Next.Failed failed, int failures) {
        Brain.Retry retry =
                failed.retry() == Brain.Retry.RETRYING && failures >= MAX_TRIES
                        ? Brain.Retry.EXHAUSTED
                        : failed.retry();
        ObjectNode event = Events.of("session.error");
        event.putObject("error")
                .put("type", failed.errorType())
                .put("message", failed.message())
                .putObject("retry_status")
                .put("type", retry.name().toLowerCase(java.util.Locale.ROOT));
        session.append(event);
        return switch (retry) {
            case RETRYING -> {
                session.reschedule();
                yield After.PAUSE;
            }
            case EXHAUSTED -> {
                session.flushQueued();
                session.rest(new StopReason.RetriesExhausted());
                yield After.LEAVE;
            }
            case TERMINAL -> {
                session.terminate();
                yield After.LEAVE;
            }
        };
    }

    private void pause(int failures) throws InterruptedException {
        Thread.sleep(retryPause.multipliedBy(1L << Math.min(failures - 1, 6)));
        store.write(tx -> {
            Optional<SessionEdit> found = SessionEdit.ofTurn(parts, tx, sessionId, number);
            found.ifPresent(session -> {
                session.resume();
                session.save();
            });
            return found.isPresent();
        });
    }
}
