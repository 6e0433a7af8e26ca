package dev.glovebox.worker;

import dev.glovebox.protocol.Secret;
import dev.glovebox.protocol.work.Work;
import dev.glovebox.protocol.work.WorkSecret;
import dev.glovebox.worker.http.ApiClient;
import dev.glovebox.worker.http.ApiRequest;
import dev.glovebox.worker.http.Reply;
import dev.glovebox.worker.queue.Lease;
import dev.glovebox.worker.session.CallJournal;
import dev.glovebox.worker.session.Hands;
import dev.glovebox.worker.session.SessionEnd;
import dev.glovebox.worker.session.SessionRunner;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// One work item from its acknowledgement to its stop: hold the lease, serve the session, let go.
///
/// The lease begins before anything else and ends after everything else, so that nobody else is
/// given the session while this worker still touches its files.
final class Shift {
    private static final System.Logger LOG = System.getLogger(Shift.class.getName());
    private static final Duration UNKNOWN_TTL = Duration.ofMinutes(5);

    private final Work work;
    private final ApiClient api;
    private final HandsSource source;
    private final CallJournal journal;
    private final Duration maxIdle;
    private final AtomicReference<@Nullable SessionRunner> runner = new AtomicReference<>();
    private volatile boolean draining;
    private volatile @Nullable Lease lease;

    /// @param environment a client with the environment key; the item's own token is preferred
    Shift(
            Work work,
            ApiClient environment,
            HandsSource source,
            CallJournal journal,
            Duration maxIdle) {
        this.work = work;
        this.api = token(work).map(environment::as).orElse(environment);
        this.source = source;
        this.journal = journal;
        this.maxIdle = maxIdle;
    }

    /// Serves the item on this thread until its session is to be left.
    void run() throws InterruptedException {
        if (!work.data().type().equals("session")) {
            LOG.log(Level.DEBUG, "{0} is a {1}, stopped", work.id(), work.data().type());
            Lease.hold(api, work, _ -> {}).release();
            return;
        }
        String sessionId = work.data().id();
        Hands hands = source.open(sessionId);
        SessionRunner mine =
                new SessionRunner(sessionId, api, hands, journal, maxIdle, this::postWindow);
        runner.set(mine);
        if (draining) {
            mine.drain();
        }
        Lease held = Lease.hold(api, work, _ -> mine.end(SessionEnd.LEASE_ENDED));
        lease = held;
        try {
            Optional<JsonNode> session = served(sessionId);
            if (session.isPresent()) {
                hands.session(session.get());
                SessionEnd end = mine.run();
                LOG.log(Level.INFO, "{0} left: {1}", sessionId, end);
            }
        } finally {
            hands.close();
            held.release();
        }
    }

    /// Ends it after the call that runs now.
    void drain() {
        draining = true;
        SessionRunner current = runner.get();
        if (current != null) {
            current.drain();
        }
    }

    /// Ends it now.
    void abandon() {
        SessionRunner current = runner.get();
        if (current != null) {
            current.end(SessionEnd.ABANDONED);
        }
    }

    /// The session, if it is to be served.
    private Optional<JsonNode> served(String sessionId) throws InterruptedException {
        Reply<JsonNode> reply =
                api.send(ApiRequest.get("/v1/sessions/" + ApiRequest.segment(sessionId)));
        if (!(reply instanceof Reply.Ok<JsonNode>(JsonNode session))) {
            LOG.log(Level.WARNING, "{0} not served: {1}", sessionId, reply.summary());
            return Optional.empty();
        }
        if (session.path("status").asString("").equals("terminated")) {
            LOG.log(Level.INFO, "{0} has terminated, not served", sessionId);
            return Optional.empty();
        }
        return Optional.of(session);
    }

    private Duration postWindow() {
        Lease current = lease;
        return current == null ? UNKNOWN_TTL : current.ttl();
    }

    private static Optional<Secret> token(Work work) {
        String secret = work.secret();
        if (secret == null || secret.isEmpty()) {
            return Optional.empty();
        }
        Optional<Secret> token = WorkSecret.decode(secret).map(WorkSecret::sessionsToken);
        if (token.isEmpty()) {
            LOG.log(
                    Level.WARNING,
                    "{0} has a secret without a token, using the environment key",
                    work.id());
        }
        return token;
    }
}
