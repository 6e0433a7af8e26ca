package dev.glovebox.spec.lab;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;
import org.awaitility.Awaitility;
import tools.jackson.databind.JsonNode;

/// The events one SDK stream has delivered so far, in order.
public final class SdkStream implements AutoCloseable {
    private static final Duration POLL = Duration.ofMillis(5);

    private final Runnable closer;
    private final List<JsonNode> events = new CopyOnWriteArrayList<>();
    private volatile String end = "";

    SdkStream(Runnable closer) {
        this.closer = closer;
    }

    /// The events so far.
    public List<JsonNode> events() {
        return List.copyOf(events);
    }

    /// Waits for the first event, old or new, that fits.
    public JsonNode await(Duration deadline, Predicate<JsonNode> fits) {
        return Awaitility.await("event, among " + events.size() + " so far")
                .atMost(deadline)
                .pollInterval(POLL)
                .until(() -> events.stream().filter(fits).findFirst(), Optional::isPresent)
                .orElseThrow();
    }

    /// Waits until the server or the network ended the stream.
    public void awaitEnd(Duration deadline) {
        Awaitility.await("end of the stream")
                .atMost(deadline)
                .pollInterval(POLL)
                .until(() -> !end.isEmpty());
    }

    @Override
    public void close() {
        closer.run();
    }

    void accept(JsonNode message) {
        if (message.has("event")) {
            events.add(message.get("event"));
        } else {
            end = message.path("end").asString("closed");
        }
    }
}
