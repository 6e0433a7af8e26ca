package dev.glovebox.server.session;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.event.Event;
import dev.glovebox.server.store.Store;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// The logs of the sessions that were last active, read into events, so that a step reads only what
/// has come since the step before. It can forget anything at any time.
final class Histories {
    private static final int SESSIONS = 64;

    private final Store store;
    private final Map<String, Cached> cache = new LinkedHashMap<>(16, 0.75f, true);

    Histories(Store store) {
        this.store = store;
    }

    private record Cached(long position, List<Event> events) {}

    /// Every processed event of the session, in order.
    List<Event> read(String sessionId) {
        Cached known = get(sessionId);
        List<EventRows.Row> rows =
                store.read(handle -> EventRows.processedAfter(handle, sessionId, known.position()));
        if (rows.isEmpty()) {
            return known.events();
        }
        List<Event> events =
                Stream.concat(
                                known.events().stream(),
                                rows.stream().map(row -> Json.read(row.body(), Event.class)))
                        .toList();
        put(sessionId, new Cached(rows.getLast().position(), events));
        return events;
    }

    private synchronized Cached get(String sessionId) {
        return cache.getOrDefault(sessionId, new Cached(0, List.of()));
    }

    private synchronized void put(String sessionId, Cached cached) {
        cache.put(sessionId, cached);
        if (cache.size() > SESSIONS) {
            cache.remove(cache.keySet().iterator().next());
        }
    }
}
