package dev.glovebox.spec.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Bare HTTP with one credential, for what no SDK would send.
public final class Wire {
    private static final Duration DEADLINE = Duration.ofSeconds(20);
    private static final JsonMapper JSON = JsonMapper.shared();
    private static final HttpClient HTTP =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    private final URI base;
    private final String credential;

    /// @param base such as `http://127.0.0.1:8080`
    /// @param credential any of the three kinds; sent as Bearer
    public Wire(URI base, String credential) {
        this.base = base;
        this.credential = credential;
    }

    /// What came back.
    ///
    /// @param body JSON null when there was none
    public record Answer(int status, JsonNode body, HttpHeaders headers) {
        /// The body of a success.
        public JsonNode ok() {
            if (status / 100 != 2) {
                throw new AssertionError("status " + status + ": " + body);
            }
            return body;
        }

        /// `error.type` of the envelope.
        public String errorType() {
            return body.path("error").path("type").asString("");
        }

        /// `error.message` of the envelope.
        public String errorMessage() {
            return body.path("error").path("message").asString("");
        }
    }

    public Answer get(String path) {
        return send(request(path).GET());
    }

    public Answer delete(String path) {
        return send(request(path).DELETE());
    }

    /// Posts a value as JSON.
    public Answer post(String path, Object body) {
        return postText(path, JSON.writeValueAsString(body));
    }

    /// Posts a text as if it were JSON.
    public Answer postText(String path, String body) {
        return send(
                request(path)
                        .header("content-type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(body)));
    }

    /// Posts nothing, as the SDKs do for `/ack` and `/heartbeat`.
    public Answer post(String path) {
        return send(request(path).POST(HttpRequest.BodyPublishers.noBody()));
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(base.resolve(path))
                .timeout(DEADLINE)
                .header("authorization", "Bearer " + credential)
                .header("anthropic-version", "2026-10-21");
    }

    private static Answer send(HttpRequest.Builder request) {
        try {
            HttpResponse<String> response =
                    HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString());
            return new Answer(response.statusCode(), parse(response.body()), response.headers());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }

    private static JsonNode parse(String body) {
        return body.isBlank() ? JSON.nullNode() : JSON.readTree(body);
    }
}
