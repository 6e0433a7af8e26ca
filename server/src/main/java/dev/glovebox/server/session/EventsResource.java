package dev.glovebox.server.session;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.ProblemException;
import dev.glovebox.server.http.Access;
import dev.glovebox.server.http.Call;
import dev.glovebox.server.http.Fields;
import dev.glovebox.server.http.Reply;
import dev.glovebox.server.http.Router;
import dev.glovebox.server.store.Store;
import dev.glovebox.server.stream.EventSink;
import dev.glovebox.server.stream.Subscriber;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import tools.jackson.databind.node.ObjectNode;

/// `/v1/sessions/{s}/events`: what happens in a session, as a list, as a stream, and the way in.
///
/// The stream has no replay. Readers open it, then list what was before, and drop what they see
/// twice; so a stream must carry everything that happens after its headers, and its reader is
/// registered before they are sent.
public final class EventsResource {
    private static final String PATH = "/v1/sessions/{s}/events";
    private static final Set<String> PREVIEWS = Set.of("agent.message", "agent.thinking");

    private final Store store;
    private final SessionParts parts;
    private final Duration ping;

    /// @param ping how often a silent stream gets a sign of life
    public EventsResource(Store store, SessionParts parts, Duration ping) {
        this.store = store;
        this.parts = parts;
        this.ping = ping;
    }

    /// Adds the endpoints.
    public void addTo(Router router) {
        router.get(PATH, Access.ALL, this::list)
                .post(PATH, Access.ALL, this::send)
                .get(PATH + "/stream", Access.ALL, this::stream);
    }

    private Reply send(Call call) {
        String id = reach(call);
        Fields body = call.json().only(Set.of("events"));
        List<ClientEvent> events = ClientEvent.all(body, "events", ClientEvent.MAX_EVENTS);
        if (events.isEmpty()) {
            throw body.refuse("events", "must have at least one event");
        }
        return store.write(tx -> {
            SessionEdit session = SessionEdit.open(parts, tx, id);
            List<ObjectNode> stored = new Inbox(session).take(events);
            session.save();
            ObjectNode answer = Json.object();
            answer.set("data", Json.toTree(stored));
            return Reply.ok(answer);
        });
    }

    private Reply list(Call call) {
        String id = reach(call);
        EventList list = EventList.of(id, call.query());
        return store.read(handle -> Reply.ok(list.page(handle)));
    }

    private Reply stream(Call call) {
        String id = reach(call);
        for (String type : call.query().all("event_deltas")) {
            if (!PREVIEWS.contains(type)) {
                throw ProblemException.invalid("event_deltas: there are no previews of " + type);
            }
        }
        return new Reply.Stream(sink -> write(id, sink));
    }

    private void write(String id, EventSink sink) throws IOException, InterruptedException {
        Subscriber subscriber = parts.streams().subscribe(id);
        try {
            sink.open();
            while (true) {
                Subscriber.Taken taken = subscriber.take(ping);
                if (taken.frames().isEmpty() && !taken.last()) {
                    sink.ping();
                }
                sink.send(taken.frames());
                if (taken.last()) {
                    return;
                }
            }
        } finally {
            parts.streams().unsubscribe(id, subscriber);
        }
    }

    /// The session of the request, which has to exist and to be the caller's to reach.
    private String reach(Call call) {
        String id = call.path("s");
        String environment =
                store.read(handle ->
                        handle.createQuery(
                                        """
                                        SELECT environment_id FROM sessions WHERE id = :id
                                        """)
                                .bind("id", id)
                                .mapTo(String.class)
                                .findOne()
                                .orElseThrow(() -> SessionRow.missing(id)));
        call.caller().mustReach(id, environment);
        return id;
    }
}
