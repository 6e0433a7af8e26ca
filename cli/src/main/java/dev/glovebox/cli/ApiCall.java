package dev.glovebox.cli;

import dev.glovebox.cli.config.CredentialsFile;
import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.JsonException;
import dev.glovebox.protocol.Secret;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// One request of a command to a control plane, as the owner of its API key.
final class ApiCall {
    private static final Duration DEADLINE = Duration.ofSeconds(30);
    private static final String DEFAULT_BASE_URL = "http://127.0.0.1:8600";
    private static final int FIRST_ERROR = 400;

    private final HttpClient client = HttpClient.newBuilder().connectTimeout(DEADLINE).build();
    private final String baseUrl;
    private final Secret apiKey;

    private ApiCall(String baseUrl, Secret apiKey) {
        this.baseUrl = baseUrl.replaceFirst("/+$", "");
        this.apiKey = apiKey;
    }

    /// Base URL and API key from the environment, the key from a control plane's data directory if
    /// one is given.
    static ApiCall with(@Nullable Path data) {
        Map<String, String> variables = System.getenv();
        String url = variables.getOrDefault("ANTHROPIC_BASE_URL", DEFAULT_BASE_URL);
        if (data != null) {
            return new ApiCall(url, CredentialsFile.in(data).apiKey());
        }
        String key = variables.getOrDefault("ANTHROPIC_API_KEY", "").strip();
        if (key.isEmpty()) {
            throw new CliException(
                    "no API key: set ANTHROPIC_API_KEY, or name the control plane's directory with --data DIR");
        }
        return new ApiCall(url, new Secret(key));
    }

    JsonNode get(String path) {
        return send(request(path).GET());
    }

    JsonNode post(String path, ObjectNode body) {
        return send(
                request(path)
                        .header("content-type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(Json.write(body))));
    }

    JsonNode delete(String path) {
        return send(request(path).DELETE());
    }

    private HttpRequest.Builder request(String path) {
        try {
            return HttpRequest.newBuilder(URI.create(baseUrl + path))
                    .timeout(DEADLINE)
                    .header("authorization", "Bearer " + apiKey.reveal());
        } catch (IllegalArgumentException e) {
            throw new CliException("ANTHROPIC_BASE_URL is not a URL: " + baseUrl);
        }
    }

    private JsonNode send(HttpRequest.Builder request) {
        try {
            var response = client.send(request.build(), BodyHandlers.ofString());
            JsonNode body = Json.tree(response.body());
            if (response.statusCode() >= FIRST_ERROR) {
                throw new CliException(
                        response.statusCode()
                                + " from "
                                + baseUrl
                                + ": "
                                + body.path("error").path("message").asString(""));
            }
            return body;
        } catch (IOException e) {
            throw new CliException(
                    "no answer from " + baseUrl + ": is the control plane up (glovebox up)?");
        } catch (JsonException e) {
            throw new CliException(baseUrl + " does not speak the API: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CliException("interrupted");
        }
    }
}
