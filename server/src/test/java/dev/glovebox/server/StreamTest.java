package dev.glovebox.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.Json;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// Event streams, read byte by byte as the SDKs do.
class StreamTest {
    private final LineBrain brain = new LineBrain();
    private TestDesk desk;
    private Talk talk;

    @BeforeEach
    void start() {
        desk = new TestDesk(brain, Clock.systemUTC(), c -> c.withPing(Duration.ofMillis(200)));
        talk = new Talk(desk);
        talk.agent("agent_t");
    }

    @AfterEach
    void stop() {
        desk.close();
    }

    /// An open stream.
    private final class Reader implements AutoCloseable {
        private final HttpResponse<java.io.InputStream> response;
        private final BufferedReader lines;

        Reader(String session) throws IOException, InterruptedException {
            response =
                    desk.http()
                            .send(
                                    desk.request(
                                                    "/v1/sessions/" + session + "/events/stream",
                                                    desk.apiKey())
                                            .header("accept", "application/json")
                                            .build(),
                                    HttpResponse.BodyHandlers.ofInputStream());
            lines =
                    new BufferedReader(
                            new InputStreamReader(response.body(), StandardCharsets.UTF_8));
        }

        /// The next event that is not a ping, or an empty object at the end.
        JsonNode next() throws IOException {
            String name = "";
            String line = lines.readLine();
            while (line != null) {
                if (line.startsWith("event: ")) {
                    name = line.substring(7);
                } else if (line.startsWith("data: ") && !name.equals("ping")) {
                    JsonNode event = Json.tree(line.substring(6));
                    assertThat(event.path("type").stringValue()).isEqualTo(name);
                    return event;
                }
                line = lines.readLine();
            }
            return Json.object();
        }

        List<String> typesUntil(String last) throws IOException {
            List<String> types = new ArrayList<>();
            String type = "";
            while (!type.equals(last)) {
                type = next().path("type").asString("end");
                types.add(type);
                assertThat(type).isNotEqualTo("end");
            }
            return types;
        }

        @Override
        public void close() throws IOException {
            response.body().close();
        }
    }

    @Test
    void headersComeBeforeAnyEvent() throws Exception {
        String session = talk.session();
        try (Reader reader = new Reader(session)) {
            assertThat(reader.response.statusCode()).isEqualTo(200);
            assertThat(reader.response.headers().firstValue("content-type"))
                    .hasValue("text/event-stream");
            assertThat(reader.lines.readLine()).isEqualTo(": open");
        }
    }

    @Test
    void silentStreamIsPinged() throws Exception {
        try (Reader reader = new Reader(talk.session())) {
            String line = reader.lines.readLine();
            while (!line.equals("event: ping")) {
                line = reader.lines.readLine();
            }
            assertThat(reader.lines.readLine()).isEqualTo("data: {}");
        }
    }

    @Test
    void streamShowsTheTurnInTheOrderOfTheLog() throws Exception {
        String session = talk.session();
        try (Reader reader = new Reader(session)) {
            talk.send(session, Talk.message("say hello\nsay again")).ok();
            List<String> streamed = reader.typesUntil("session.status_idle");
            assertThat(streamed).isEqualTo(talk.types(session));
        }
    }

    @Test
    void queuedEventIsSeenTwice() throws Exception {
        String session = talk.session("call bash\nsay x");
        talk.awaitIdle(session, "requires_action");
        String call = talk.ids(session, "agent.tool_use").getFirst();
        try (Reader reader = new Reader(session)) {
            talk.send(session, Talk.message("say later")).ok();
            JsonNode queued = reader.next();
            assertThat(queued.path("processed_at").isNull()).isTrue();
            talk.send(session, Talk.result(call, "ok")).ok();
            JsonNode event = reader.next();
            while (!event.path("id").equals(queued.path("id"))) {
                event = reader.next();
            }
            assertThat(event.path("processed_at").isString()).isTrue();
        }
    }

    @Test
    void deletingTheSessionEndsItsStreams() throws Exception {
        String session = talk.session();
        try (Reader reader = new Reader(session)) {
            desk.delete("/v1/sessions/" + session).ok();
            assertThat(reader.next().path("type").stringValue()).isEqualTo("session.deleted");
            assertThat(reader.next().isEmpty()).isTrue();
        }
    }

    @Test
    void streamThenListMissesNothingWhileEventsPour() throws Exception {
        String session = talk.session();
        int rounds = 15;
        for (int round = 0; round < rounds; round++) {
            CountDownLatch sent = new CountDownLatch(1);
            Thread sender =
                    Thread.ofVirtual()
                            .start(() -> {
                                sent.countDown();
                                talk.send(session, Talk.message("say a\nsay b")).ok();
                            });
            sent.await();
            try (Reader reader = new Reader(session)) {
                Set<String> seen = new LinkedHashSet<>();
                talk.events(session).forEach(e -> seen.add(e.path("id").stringValue()));
                sender.join();
                talk.awaitIdle(session, "end_turn");
                List<JsonNode> all = talk.events(session);
                String last = all.getLast().path("id").stringValue();
                String id = seen.contains(last) ? last : "";
                while (!id.equals(last)) {
                    id = reader.next().path("id").stringValue();
                    seen.add(id);
                }
                assertThat(seen)
                        .containsAll(all.stream().map(e -> e.path("id").stringValue()).toList());
            }
        }
    }

    @Test
    void unknownSessionAndUnknownPreviewAreRefused() {
        assertThat(desk.get("/v1/sessions/sesn_none/events/stream").status()).isEqualTo(404);
        String session = talk.session();
        assertThat(
                        desk.get(
                                        "/v1/sessions/"
                                                + session
                                                + "/events/stream?event_deltas%5B%5D=user.message")
                                .status())
                .isEqualTo(400);
    }
}
