package dev.glovebox.worker.http;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.JsonException;
import dev.glovebox.protocol.Secret;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import tools.jackson.databind.JsonNode;

/// The worker's only way to the control plane: JSON requests, retries, event streams.
///
/// Thread-safe. All clients derived from one share its connections, which stay open between
/// requests. Redirects are not followed, so that no credential is taken elsewhere. Over `http` it
/// speaks HTTP/1.1, because an upgrade to HTTP/2 on a cleartext connection costs a round trip and
/// some servers choke on it; over `https` the two sides agree.
public final class ApiClient implements AutoCloseable {
    /// The value of `anthropic-beta` that every call here sends.
    public static final String BETA = "managed-agents-2026-04-01";

    private static final String VERSION = "2026-10-21";
    private static final int MAX_RETRIES = 2;
    private static final long MAX_BODY = 256L * 1024 * 1024;
    private static final Backoff BACKOFF =
            new Backoff(Duration.ofMillis(500), Duration.ofSeconds(8));

    private final HttpClient http;
    private final String base;
    private final Secret credential;
    private final Pause pause;

    private ApiClient(HttpClient http, String base, Secret credential, Pause pause) {
        this.http = http;
        this.base = base;
        this.credential = credential;
        this.pause = pause;
    }

    /// A client with connections of its own.
    ///
    /// @param base such as `https://api.anthropic.com`; a path prefix is kept
    public static ApiClient open(URI base, Secret credential, Pause pause) {
        HttpClient http =
                HttpClient.newBuilder()
                        .version(
                                "https".equals(base.getScheme())
                                        ? HttpClient.Version.HTTP_2
                                        : HttpClient.Version.HTTP_1_1)
                        .connectTimeout(Duration.ofSeconds(10))
                        .executor(Executors.newVirtualThreadPerTaskExecutor())
                        .build();
        return new ApiClient(http, base.toString().replaceAll("/+$", ""), credential, pause);
    }

    /// The same connections with another credential.
    public ApiClient as(Secret other) {
        return new ApiClient(http, base, other, pause);
    }

    /// Sends, and sends again up to twice when that may help. Only for requests that may arrive
    /// twice without harm.
    public Reply<JsonNode> send(ApiRequest request) throws InterruptedException {
        for (int attempt = 0; ; attempt++) {
            Reply<JsonNode> reply = sendOnce(request);
            if (attempt == MAX_RETRIES || !reply.retryable()) {
                return reply;
            }
            Duration usual = BACKOFF.pause(attempt, ThreadLocalRandom.current());
            pause.pause(reply.retryAfterHint().orElse(usual));
        }
    }

    /// Sends once.
    public Reply<JsonNode> sendOnce(ApiRequest request) throws InterruptedException {
        try {
            HttpResponse<byte[]> response =
                    http.send(
                            build(request).timeout(request.timeout()).build(),
                            BodyHandlers.limiting(BodyHandlers.ofByteArray(), MAX_BODY));
            if (response.statusCode() / 100 != 2) {
                return Refusals.of(response, response.body());
            }
            return new Reply.Ok<>(
                    response.body().length == 0
                            ? Json.object()
                            : Json.read(response.body(), JsonNode.class));
        } catch (IOException e) {
            return new Reply.Unreachable<>(reason(e));
        } catch (JsonException e) {
            return new Reply.Unreachable<>("answer is " + e.getMessage());
        }
    }

    /// Opens an event stream; returns as soon as the headers are there. Never retries.
    public Reply<EventStream> stream(ApiRequest request) throws InterruptedException {
        // not HttpRequest.timeout: from JDK 26 on it would also end the stream itself
        CompletableFuture<HttpResponse<InputStream>> future =
                http.sendAsync(build(request).build(), BodyHandlers.ofInputStream());
        try {
            HttpResponse<InputStream> response =
                    future.get(request.timeout().toMillis(), TimeUnit.MILLISECONDS);
            if (response.statusCode() / 100 == 2) {
                return new Reply.Ok<>(new EventStream(response.body()));
            }
            try (InputStream body = response.body()) {
                return Refusals.of(response, body.readNBytes(Refusals.MAX_BODY));
            }
        } catch (TimeoutException e) {
            future.cancel(true);
            return new Reply.Unreachable<>("no answer within " + request.timeout());
        } catch (ExecutionException e) {
            return new Reply.Unreachable<>(reason(e.getCause() == null ? e : e.getCause()));
        } catch (IOException e) {
            return new Reply.Unreachable<>(reason(e));
        } catch (InterruptedException e) {
            future.cancel(true);
            throw e;
        }
    }

    /// Ends every request and connection, of all clients derived from one.
    @Override
    public void close() {
        http.shutdownNow();
    }

    private HttpRequest.Builder build(ApiRequest request) {
        HttpRequest.Builder builder =
                HttpRequest.newBuilder(URI.create(base + request.target()))
                        .header("authorization", "Bearer " + credential.reveal())
                        .header("anthropic-version", VERSION)
                        .header("anthropic-beta", BETA)
                        .header("accept", "application/json")
                        .header("user-agent", "Glovebox/0.1");
        request.headers().forEach(builder::header);
        if (request.body().isPresent()) {
            builder.header("content-type", "application/json");
            byte[] body = Json.writeBytes(request.body().get());
            return builder.method(request.method(), BodyPublishers.ofByteArray(body));
        }
        return "POST".equals(request.method())
                ? builder.POST(BodyPublishers.ofByteArray(new byte[0]))
                : builder.GET();
    }

    private static String reason(Throwable e) {
        String message = e.getMessage();
        return e.getClass().getSimpleName() + (message == null ? "" : ": " + message);
    }
}
