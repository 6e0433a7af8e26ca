package dev.glovebox.worker.session;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.JsonException;
import dev.glovebox.protocol.event.Event;
import dev.glovebox.worker.http.ApiClient;
import dev.glovebox.worker.http.ApiRequest;
import dev.glovebox.worker.http.Backoff;
import dev.glovebox.worker.http.EventStream;
import dev.glovebox.worker.http.Reply;
import dev.glovebox.worker.http.SseEvent;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// Brings a session's events to its monitor, on a thread of its own, until the session is over.
///
/// A stream has no memory: it delivers what happens after it was opened. So the stream is opened
/// first, then the whole history is read, then the stream is followed, and events that come both
/// ways count once. A broken or ended stream is opened again after a pause from half a second to
/// ten, and the history is read again.
final class EventReader {
    private static final System.Logger LOG = System.getLogger(EventReader.class.getName());
    private static final Backoff BACKOFF =
            new Backoff(Duration.ofMillis(500), Duration.ofSeconds(10));
    private static final int PAGE = 1000;
    private static final int MAX_PAGES = 10_000;
    private static final Duration SILENCE = Duration.ofMinutes(5);

    private final ApiClient api;
    private final String path;
    private final String sessionId;
    private final SessionMonitor monitor;
    private volatile @Nullable EventStream current;

    EventReader(ApiClient api, String sessionId, SessionMonitor monitor) {
        this.api = api;
        this.sessionId = sessionId;
        this.path = "/v1/sessions/" + ApiRequest.segment(sessionId) + "/events";
        this.monitor = monitor;
    }

    /// Reads until the session is over.
    void run() {
        int failures = 0;
        try {
            while (monitor.ended().isEmpty()) {
                Reply<EventStream> reply = api.stream(ApiRequest.get(path + "/stream"));
                if (reply instanceof Reply.Ok<EventStream>(EventStream stream)) {
                    failures = follow(stream) ? 0 : failures + 1;
                } else if (reply.fatal()) {
                    LOG.log(Level.WARNING, "stream of {0}: {1}", sessionId, reply.summary());
                    monitor.end(SessionEnd.REFUSED);
                } else {
                    LOG.log(Level.WARNING, "stream of {0}: {1}", sessionId, reply.summary());
                    failures++;
                }
                Duration usual = BACKOFF.pause(failures, ThreadLocalRandom.current());
                monitor.pause(reply.retryAfterHint().orElse(usual));
            }
        } catch (InterruptedException e) {
            monitor.end(SessionEnd.ABANDONED);
        }
    }

    /// Cuts the stream if not even a ping has come for five minutes; it is then opened anew.
    void cutIfSilent() {
        EventStream stream = current;
        if (stream != null && stream.silentFor(SILENCE)) {
            LOG.log(Level.WARNING, "stream of {0} is silent, opened again", sessionId);
            stream.close();
        }
    }

    /// Ends the reading; to be called when the session is over.
    void close() {
        EventStream stream = current;
        if (stream != null) {
            stream.close();
        }
    }

    /// Reads the history, then the stream to its end.
    ///
    /// @return whether any event came
    private boolean follow(EventStream stream) throws InterruptedException {
        boolean any = false;
        current = stream;
        try (stream) {
            readHistory();
            while (monitor.ended().isEmpty()) {
                Optional<SseEvent> next = stream.next();
                if (next.isEmpty() || next.get().name().equals("error")) {
                    LOG.log(Level.DEBUG, "stream of {0} ended: {1}", sessionId, next);
                    return any;
                }
                any = true;
                if (!next.get().name().equals("ping")) {
                    parse(next.get().data()).ifPresent(monitor::event);
                }
            }
        } catch (IOException e) {
            LOG.log(Level.DEBUG, "stream of {0} broke: {1}", sessionId, e.getMessage());
        }
        return any;
    }

    private void readHistory() throws InterruptedException {
        History history = new History();
        Set<String> ids = new LinkedHashSet<>();
        Set<String> cursors = new HashSet<>();
        String cursor = "";
        do {
            ApiRequest request = ApiRequest.get(path).with("limit", String.valueOf(PAGE));
            Reply<JsonNode> reply =
                    api.send(cursor.isEmpty() ? request : request.with("page", cursor));
            if (!(reply instanceof Reply.Ok<JsonNode>(JsonNode page))) {
                LOG.log(Level.WARNING, "history of {0}: {1}", sessionId, reply.summary());
                monitor.historyFailed();
                return;
            }
            for (JsonNode item : page.path("data")) {
                parse(item)
                        .ifPresent(event -> {
                            history.add(event);
                            String id = event.id();
                            if (id != null) {
                                ids.add(id);
                            }
                        });
            }
            cursor = page.path("next_page").asString("");
        } while (!cursor.isEmpty() && cursors.add(cursor) && cursors.size() < MAX_PAGES);
        monitor.history(history, ids);
    }

    private Optional<Event> parse(String json) {
        try {
            return parse(Json.tree(json));
        } catch (JsonException e) {
            LOG.log(Level.WARNING, "event of {0} dropped: {1}", sessionId, e.getMessage());
            return Optional.empty();
        }
    }

    private Optional<Event> parse(JsonNode json) {
        try {
            return Optional.of(Json.fromTree(json, Event.class));
        } catch (JsonException e) {
            LOG.log(Level.WARNING, "event of {0} dropped: {1}", sessionId, e.getMessage());
            return Optional.empty();
        }
    }
}
