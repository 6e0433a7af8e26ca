package dev.glovebox.worker.queue;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.JsonException;
import dev.glovebox.protocol.work.Work;
import dev.glovebox.worker.http.ApiClient;
import dev.glovebox.worker.http.ApiRequest;
import dev.glovebox.worker.http.Backoff;
import dev.glovebox.worker.http.Pause;
import dev.glovebox.worker.http.Reply;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import tools.jackson.databind.JsonNode;

/// Asks the queue of one environment for work, one item at a time; used by one thread.
///
/// The server holds a poll for up to a second. When it did, the next poll follows at once, so that
/// new work never waits for a sleeping worker; when it answered at once, the rest of the second is
/// waited here. Failures are answered with growing pauses, up to a minute.
public final class WorkPoller {
    private static final System.Logger LOG = System.getLogger(WorkPoller.class.getName());
    private static final int BLOCK_MILLIS = 999;
    private static final Duration PACE = Duration.ofSeconds(1);
    private static final Backoff BACKOFF = new Backoff(PACE, Duration.ofMinutes(1));

    private final ApiClient api;
    private final String path;
    private final String workerId;
    private final Pause pause;
    private int failures;

    /// A poller that has not begun.
    ///
    /// @param api carries the environment key
    /// @param workerId told to the server with every poll, so that it can count workers
    /// @param pause how to wait; may return early, when the worker is about to end
    public WorkPoller(ApiClient api, String environmentId, String workerId, Pause pause) {
        this.api = api;
        this.path = "/v1/environments/" + ApiRequest.segment(environmentId) + "/work";
        this.workerId = workerId;
        this.pause = pause;
    }

    /// What came of one poll.
    public sealed interface Polled {
        /// An item that is now ours.
        record Claimed(Work work) implements Polled {}

        /// Nothing to do, or nothing to be had; ask again.
        record Nothing() implements Polled {}

        /// Key or environment are wrong; asking again can never help.
        record Refused(String reason) implements Polled {}
    }

    /// Polls once and acknowledges what comes.
    public Polled poll() throws InterruptedException {
        long start = System.nanoTime();
        Reply<JsonNode> reply =
                api.sendOnce(
                        ApiRequest.get(path + "/poll")
                                .with("block_ms", String.valueOf(BLOCK_MILLIS))
                                .header("Anthropic-Worker-ID", workerId));
        if (!(reply instanceof Reply.Ok<JsonNode>(JsonNode answer))) {
            return failed(reply);
        }
        failures = 0;
        if (!answer.path("id").isString()) {
            Duration left = PACE.minusNanos(System.nanoTime() - start);
            if (left.compareTo(PACE.minusMillis(BLOCK_MILLIS - 100)) > 0) {
                pause.pause(left);
            }
            return new Polled.Nothing();
        }
        return acknowledge(answer);
    }

    private Polled failed(Reply<JsonNode> reply) throws InterruptedException {
        if (reply.fatal()) {
            return new Polled.Refused(reply.summary());
        }
        Duration usual = BACKOFF.pause(failures++, ThreadLocalRandom.current());
        Duration wait = reply.retryAfterHint().orElse(usual);
        LOG.log(Level.WARNING, "poll failed, next in {0}: {1}", wait, reply.summary());
        pause.pause(wait);
        return new Polled.Nothing();
    }

    private Polled acknowledge(JsonNode answer) throws InterruptedException {
        Work work;
        try {
            work = Json.fromTree(answer, Work.class);
        } catch (JsonException e) {
            LOG.log(Level.ERROR, "work item not understood: {0}", e.getMessage());
            pause.pause(PACE);
            return new Polled.Nothing();
        }
        Reply<JsonNode> reply =
                api.send(ApiRequest.post(path + "/" + ApiRequest.segment(work.id()) + "/ack"));
        if (reply instanceof Reply.Ok<JsonNode>) {
            return new Polled.Claimed(work);
        }
        // not ours then, or nobody's: the queue delivers it again
        LOG.log(Level.WARNING, "ack of {0} failed: {1}", work.id(), reply.summary());
        return new Polled.Nothing();
    }
}
