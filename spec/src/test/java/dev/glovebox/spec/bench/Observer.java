package dev.glovebox.spec.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Watches one session's stream from outside and notes when each call and each result becomes
/// visible.
///
/// Both workers are measured by the same watcher, so what it adds (one SSE delivery each for the
/// call and the result) is in both figures.
final class Observer implements AutoCloseable {
    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final Map<String, Long> called = new LinkedHashMap<>();
    private final List<Long> nanos = new ArrayList<>();
    private final CountDownLatch firstResult = new CountDownLatch(1);
    private final CountDownLatch turnEnd = new CountDownLatch(1);
    private final Thread reader;
    private final Consumer<String> onCall;
    private volatile long firstResultAt;

    /// Opens the stream; returns when the server has answered, so nothing sent later is missed.
    Observer(URI baseUrl, String apiKey, String session) {
        this(baseUrl, apiKey, session, _ -> {});
    }

    /// @param onCall is given the id of each call, on the reader's thread
    Observer(URI baseUrl, String apiKey, String session, Consumer<String> onCall) {
        this.onCall = onCall;
        HttpRequest request =
                HttpRequest.newBuilder(
                                baseUrl.resolve("/v1/sessions/" + session + "/events/stream"))
                        .header("authorization", "Bearer " + apiKey)
                        .build();
        try {
            HttpResponse<java.io.InputStream> response =
                    http.send(request, HttpResponse.BodyHandlers.ofInputStream());
            if (response.statusCode() != 200) {
                throw new IllegalStateException("stream answered " + response.statusCode());
            }
            reader = Thread.ofPlatform().daemon().start(() -> read(response));
        } catch (IOException e) {
            throw new UncheckedIOException("open the stream of " + session, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    /// When the first result became visible, by [System#nanoTime].
    long awaitFirstResult(Duration deadline) {
        await(firstResult, deadline, "no result");
        return firstResultAt;
    }

    /// Call-to-result times of the whole turn.
    List<Duration> awaitTurn(Duration deadline) {
        await(turnEnd, deadline, "turn did not end");
        synchronized (nanos) {
            return nanos.stream().map(Duration::ofNanos).toList();
        }
    }

    @Override
    public void close() {
        http.shutdownNow();
        reader.interrupt();
    }

    private void read(HttpResponse<java.io.InputStream> response) {
        try (BufferedReader lines =
                new BufferedReader(
                        new InputStreamReader(response.body(), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith("data:")) {
                    note(JsonMapper.shared().readTree(line.substring(5)), System.nanoTime());
                }
            }
        } catch (IOException e) {
            turnEnd.countDown();
        }
    }

    private void note(JsonNode event, long now) {
        switch (event.path("type").asString("")) {
            case "agent.tool_use" -> {
                called.put(event.get("id").asString(), now);
                onCall.accept(event.get("id").asString());
            }
            case "user.tool_result" -> {
                Long start = called.get(event.get("tool_use_id").asString());
                if (start != null) {
                    synchronized (nanos) {
                        nanos.add(now - start);
                    }
                }
                if (firstResult.getCount() > 0) {
                    firstResultAt = now;
                    firstResult.countDown();
                }
            }
            case "session.status_idle" -> {
                if (event.at("/stop_reason/type").asString("").equals("end_turn")) {
                    turnEnd.countDown();
                }
            }
            default -> {}
        }
    }

    private static void await(CountDownLatch latch, Duration deadline, String what) {
        try {
            if (!latch.await(deadline.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new IllegalStateException(what + " within " + deadline);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }
}
