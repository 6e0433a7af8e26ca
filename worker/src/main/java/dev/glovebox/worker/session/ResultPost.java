package dev.glovebox.worker.session;

import dev.glovebox.protocol.Json;
import dev.glovebox.worker.http.ApiClient;
import dev.glovebox.worker.http.ApiRequest;
import dev.glovebox.worker.http.Backoff;
import dev.glovebox.worker.http.Reply;
import dev.glovebox.worker.tool.ToolResult;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Brings a call's result to the control plane: one event a request, again and again for as long as
/// the lease could still be ours, and never twice.
///
/// There is no idempotency key on this wire. So after a failure that leaves open whether the result
/// arrived (no answer, a 5xx), the session's log is asked before the result is sent again.
final class ResultPost {
    private static final System.Logger LOG = System.getLogger(ResultPost.class.getName());
    private static final Backoff BACKOFF =
            new Backoff(Duration.ofSeconds(1), Duration.ofSeconds(30));

    private final ApiClient api;
    private final String path;
    private final SessionMonitor monitor;
    private final Supplier<Duration> window;

    /// @param window how long to go on trying; asked each time, because it changes with the lease
    ResultPost(ApiClient api, String sessionId, SessionMonitor monitor, Supplier<Duration> window) {
        this.api = api;
        this.path = "/v1/sessions/" + ApiRequest.segment(sessionId) + "/events";
        this.monitor = monitor;
        this.window = window;
    }

    /// What became of a result.
    enum Fate {
        /// The control plane has it, or has another one for the call.
        ARRIVED,
        /// The control plane does not take it and never will.
        REFUSED,
        /// It did not get through in time.
        FAILED
    }

    /// Posts a result; gives up when the session is over.
    Fate post(ToolCall call, ToolResult result) throws InterruptedException {
        ApiRequest request = ApiRequest.post(path, body(call, result));
        long start = System.nanoTime();
        boolean doubtful = false;
        for (int attempt = 0; ; attempt++) {
            if (attempt > 0 && (monitor.unwanted(call) || (doubtful && arrived(call)))) {
                return Fate.ARRIVED;
            }
            if (monitor.ended().isPresent()) {
                return Fate.FAILED;
            }
            Reply<JsonNode> reply = api.sendOnce(request);
            if (reply instanceof Reply.Ok<JsonNode>) {
                return Fate.ARRIVED;
            }
            if (reply.fatal() || !reply.retryable()) {
                LOG.log(Level.INFO, "result of {0} refused: {1}", call.id(), reply.summary());
                return Fate.REFUSED;
            }
            doubtful |= !reply.is(409) && !reply.is(429);
            long left = window.get().toNanos() - (System.nanoTime() - start);
            if (left <= 0) {
                LOG.log(Level.ERROR, "result of {0} not posted: {1}", call.id(), reply.summary());
                return Fate.FAILED;
            }
            Duration usual = BACKOFF.pause(attempt, ThreadLocalRandom.current());
            Duration wait = reply.retryAfterHint().orElse(usual);
            LOG.log(Level.WARNING, "result of {0}, again: {1}", call.id(), reply.summary());
            monitor.pause(wait.toNanos() < left ? wait : Duration.ofNanos(left));
        }
    }

    /// Whether the log has a result for the call. If it cannot be read, then not for all we know.
    private boolean arrived(ToolCall call) throws InterruptedException {
        Reply<JsonNode> reply =
                api.sendOnce(
                        ApiRequest.get(path)
                                .with("types[]", "user.tool_result")
                                .with("order", "desc")
                                .with("limit", "100"));
        if (reply instanceof Reply.Ok<JsonNode>(JsonNode page)) {
            for (JsonNode event : page.path("data")) {
                if (event.path("tool_use_id").asString("").equals(call.id())) {
                    return true;
                }
            }
        }
        return false;
    }

    private static ObjectNode body(ToolCall call, ToolResult result) {
        ObjectNode event =
                Json.object()
                        .put("type", "user.tool_result")
                        .put("tool_use_id", call.id())
                        .put("is_error", result.error());
        event.putArray("content").add(Json.object().put("type", "text").put("text", result.text()));
        ObjectNode body = Json.object();
        ArrayNode events = body.putArray("events");
        events.add(event);
        return body;
    }
}
