package dev.glovebox.server.stream;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// Who listens to which session. Events come in after their commit, in order, on the writer's
/// thread; handing them on never blocks it.
public final class Streams implements AutoCloseable {
    private final Map<String, Set<Subscriber>> sessions = new ConcurrentHashMap<>();
    private volatile boolean closed;

    /// Starts to listen. Everything published from here on reaches the subscriber.
    public Subscriber subscribe(String sessionId) {
        Subscriber subscriber = new Subscriber();
        sessions.compute(
                sessionId,
                (_, set) -> {
                    Set<Subscriber> all = set == null ? ConcurrentHashMap.newKeySet() : set;
                    all.add(subscriber);
                    return all;
                });
        if (closed) {
            subscriber.end();
        }
        return subscriber;
    }

    /// Stops listening.
    public void unsubscribe(String sessionId, Subscriber subscriber) {
        sessions.computeIfPresent(
                sessionId,
                (_, set) -> {
                    set.remove(subscriber);
                    return set.isEmpty() ? null : set;
                });
    }

    /// Hands an event to everybody who listens.
    ///
    /// @param type its name on the wire
    /// @param json the event in one line
    public void publish(String sessionId, String type, String json) {
        Set<Subscriber> set = sessions.get(sessionId);
        if (set != null) {
            byte[] frame = EventSink.frame(type, json);
            set.forEach(subscriber -> subscriber.offer(frame));
        }
    }

    /// Ends every stream on the session, after what was published before.
    public void end(String sessionId) {
        Set<Subscriber> set = sessions.get(sessionId);
        if (set != null) {
            set.forEach(Subscriber::end);
        }
    }

    @Override
    public void close() {
        closed = true;
        sessions.keySet().forEach(this::end);
    }
}
