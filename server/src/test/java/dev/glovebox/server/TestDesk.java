package dev.glovebox.server;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.brain.Brain;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.Comparator;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/// A real control plane on a free port and a fresh directory, and a plain HTTP client for it.
final class TestDesk implements AutoCloseable {
    private static final Duration DEADLINE = Duration.ofSeconds(20);

    private final HttpClient http = HttpClient.newHttpClient();
    private final Path directory;
    private final Brain brain;
    private final Clock clock;
    private final UnaryOperator<ServerConfig> settings;
    private ControlPlane plane;
    private JsonNode credentials;

    TestDesk(Brain brain) {
        this(brain, Clock.systemUTC(), UnaryOperator.identity());
    }

    TestDesk(Brain brain, Clock clock, UnaryOperator<ServerConfig> settings) {
        this.brain = brain;
        this.clock = clock;
        this.settings = settings;
        try {
            directory = Files.createTempDirectory("glovebox-desk");
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        plane = start();
        credentials = readCredentials();
    }

    private ControlPlane start() {
        ServerConfig config =
                settings.apply(
                        new ServerConfig(
                                directory,
                                new InetSocketAddress(
                                        java.net.InetAddress.getLoopbackAddress(), 0)));
        return ControlPlane.start(config, brain, clock, new SecureRandom());
    }

    private JsonNode readCredentials() {
        try {
            return Json.tree(Files.readString(credentialsFile()));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /// Ends the control plane; [#restart] starts it again on the same directory.
    void stop() {
        plane.close();
    }

    void restart() {
        plane.close();
        plane = start();
    }

    Path credentialsFile() {
        return directory.resolve("credentials.json");
    }

    Path directory() {
        return directory;
    }

    String apiKey() {
        return credentials.path("api_key").stringValue();
    }

    String environmentKey() {
        return credentials.path("environment_key").stringValue();
    }

    String environment() {
        return credentials.path("environment_id").stringValue();
    }

    URI uri(String path) {
        return URI.create("http://127.0.0.1:" + plane.address().getPort() + path);
    }

    HttpClient http() {
        return http;
    }

    Answer get(String path) {
        return send(request(path, apiKey()).GET());
    }

    Answer get(String path, String credential) {
        return send(request(path, credential).GET());
    }

    Answer post(String path, String body) {
        return post(path, apiKey(), body);
    }

    Answer post(String path, String credential, String body) {
        return send(
                request(path, credential)
                        .header("content-type", "application/json")
                        .POST(
                                body.isEmpty()
                                        ? HttpRequest.BodyPublishers.noBody()
                                        : HttpRequest.BodyPublishers.ofString(body)));
    }

    Answer delete(String path) {
        return send(request(path, apiKey()).DELETE());
    }

    HttpRequest.Builder request(String path, String credential) {
        return HttpRequest.newBuilder(uri(path))
                .timeout(DEADLINE)
                .header("authorization", "Bearer " + credential);
    }

    Answer send(HttpRequest.Builder request) {
        try {
            return new Answer(http.send(request.build(), HttpResponse.BodyHandlers.ofString()));
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        plane.close();
        http.close();
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /// A response with its JSON.
    record Answer(HttpResponse<String> response) {
        int status() {
            return response.statusCode();
        }

        JsonNode json() {
            return Json.tree(response.body());
        }

        /// The JSON of an answer that has to be good.
        JsonNode ok() {
            if (status() != 200) {
                throw new AssertionError(status() + " " + response.body());
            }
            return json();
        }

        String errorType() {
            return json().path("error").path("type").asString("");
        }

        String message() {
            return json().path("error").path("message").asString("");
        }

        String header(String name) {
            return response.headers().firstValue(name).orElse("");
        }
    }
}
