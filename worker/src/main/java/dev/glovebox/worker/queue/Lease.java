package dev.glovebox.worker.queue;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.JsonException;
import dev.glovebox.protocol.work.Heartbeat;
import dev.glovebox.protocol.work.Work;
import dev.glovebox.worker.http.ApiClient;
import dev.glovebox.worker.http.ApiRequest;
import dev.glovebox.worker.http.Backoff;
import dev.glovebox.worker.http.Reply;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import tools.jackson.databind.JsonNode;

/// The right to serve one work item, kept alive by heartbeats.
///
/// The first beat goes out at once, the next after half of the time to live, but at least 1 s and
/// at most 30 s. Each says which beat it follows, in the server's own text, so that two workers can
/// never both believe in the lease:
///
/// | answer | meaning | stop the item at the end? |
/// |---|---|---|
/// | 200, `stopping` or `stopped`, or not extended | [End#STOP_REQUESTED] | yes |
/// | 412 | another delivery has it: [End#LOST] | no |
/// | other 4xx but 408, 409, 429 | [End#REJECTED] | yes |
/// | anything else for longer than the time to live | must be assumed [End#LOST] | no |
///
/// The first reason counts. A lease goes on through the teardown of its session, until [#release].
public final class Lease {
    private static final System.Logger LOG = System.getLogger(Lease.class.getName());
    private static final Duration LONGEST = Duration.ofSeconds(30);
    private static final Duration SHORTEST = Duration.ofSeconds(1);
    private static final Duration UNKNOWN_TTL = Duration.ofSeconds(90);
    private static final Backoff BACKOFF = new Backoff(Duration.ofMillis(500), LONGEST);

    private final ApiClient api;
    private final String path;
    private final String workId;
    private final Consumer<End> onEnd;
    private final AtomicReference<Optional<End>> end = new AtomicReference<>(Optional.empty());
    private final CountDownLatch ended = new CountDownLatch(1);
    private final Thread beats;
    private volatile Duration ttl = UNKNOWN_TTL;
    private String last = Heartbeat.NONE;

    private Lease(ApiClient api, Work work, Consumer<End> onEnd) {
        this.api = api;
        this.workId = work.id();
        this.path =
                "/v1/environments/"
                        + ApiRequest.segment(work.environmentId())
                        + "/work/"
                        + ApiRequest.segment(work.id());
        this.onEnd = onEnd;
        this.beats = Thread.ofVirtual().name("lease-" + workId).unstarted(this::beat);
    }

    /// Why a lease ended.
    public enum End {
        /// This worker is done with the item.
        RELEASED,
        /// The control plane wants the item to end.
        STOP_REQUESTED,
        /// The item belongs to the queue or to another worker.
        LOST,
        /// The control plane refuses the heartbeats for good.
        REJECTED
    }

    /// Starts to hold the lease of an item.
    ///
    /// @param onEnd told once, on the thread of the heartbeats, when it ends before its release
    public static Lease hold(ApiClient api, Work work, Consumer<End> onEnd) {
        Lease lease = new Lease(api, work, onEnd);
        lease.beats.start();
        return lease;
    }

    /// How long the server keeps the item for this worker without a beat; 90 s until it says.
    public Duration ttl() {
        return ttl;
    }

    /// Why it ended, if it has.
    public Optional<End> end() {
        return end.get();
    }

    /// Ends the lease and force-stops the item, unless it is no longer ours to stop.
    public void release() throws InterruptedException {
        finish(End.RELEASED);
        beats.join();
        if (end().equals(Optional.of(End.LOST))) {
            LOG.log(Level.INFO, "lease of {0} lost, not stopped", workId);
            return;
        }
        Reply<JsonNode> reply =
                api.send(ApiRequest.post(path + "/stop", Json.object().put("force", true)));
        if (!(reply instanceof Reply.Ok<JsonNode>) && !reply.is(409)) {
            LOG.log(Level.WARNING, "stop of {0} failed: {1}", workId, reply.summary());
        }
    }

    private boolean finish(End reason) {
        boolean first = end.compareAndSet(Optional.empty(), Optional.of(reason));
        ended.countDown();
        return first;
    }

    private void finishAndTell(End reason, String why) {
        if (finish(reason)) {
            LOG.log(Level.INFO, "lease of {0} ended, {1}: {2}", workId, reason, why);
            onEnd.accept(reason);
        }
    }

    private void beat() {
        long lastSuccess = System.nanoTime();
        int failures = 0;
        try {
            while (end().isEmpty()) {
                Reply<JsonNode> reply =
                        api.sendOnce(
                                ApiRequest.post(path + "/heartbeat")
                                        .with("expected_last_heartbeat", last)
                                        .within(interval()));
                Duration wait = interval();
                if (reply instanceof Reply.Ok<JsonNode>(JsonNode answer) && accepted(answer)) {
                    lastSuccess = System.nanoTime();
                    failures = 0;
                    wait = interval();
                } else if (reply.is(412)) {
                    finishAndTell(End.LOST, reply.summary());
                } else if (reply.fatal()) {
                    finishAndTell(End.REJECTED, reply.summary());
                } else if (System.nanoTime() - lastSuccess > ttl.toNanos()) {
                    finishAndTell(End.LOST, "no heartbeat within " + ttl);
                } else {
                    LOG.log(Level.WARNING, "heartbeat of {0}: {1}", workId, reply.summary());
                    Duration soon = BACKOFF.pause(failures++, ThreadLocalRandom.current());
                    wait = shorter(wait, reply.retryAfterHint().orElse(soon));
                }
                ended.await(wait.toNanos(), TimeUnit.NANOSECONDS);
            }
        } catch (InterruptedException e) {
            finishAndTell(End.LOST, "interrupted");
        }
    }

    /// Takes over what a good answer says; an answer that is none counts as no answer.
    private boolean accepted(JsonNode answer) {
        Heartbeat heartbeat;
        try {
            heartbeat = Json.fromTree(answer, Heartbeat.class);
        } catch (JsonException e) {
            LOG.log(Level.WARNING, "heartbeat of {0} not understood: {1}", workId, e.getMessage());
            return false;
        }
        last = heartbeat.lastHeartbeat();
        if (heartbeat.ttlSeconds() > 0) {
            ttl = Duration.ofSeconds(heartbeat.ttlSeconds());
        }
        if (heartbeat.state().ending()) {
            finishAndTell(End.STOP_REQUESTED, "the item is " + heartbeat.state().wire());
        } else if (!heartbeat.leaseExtended()) {
            finishAndTell(End.STOP_REQUESTED, "not extended");
        }
        return true;
    }

    private Duration interval() {
        if (ttl.equals(UNKNOWN_TTL)) {
            return LONGEST;
        }
        Duration half = ttl.dividedBy(2);
        return half.compareTo(SHORTEST) < 0 ? SHORTEST : shorter(half, LONGEST);
    }

    private static Duration shorter(Duration a, Duration b) {
        return a.compareTo(b) < 0 ? a : b;
    }
}
