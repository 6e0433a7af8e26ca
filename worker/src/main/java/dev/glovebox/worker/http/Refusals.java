package dev.glovebox.worker.http;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.JsonException;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.MissingNode;

/// Reads an answer that is not 2xx: the error envelope if there is one, whatever the content type
/// says, and the headers about trying again.
final class Refusals {
    static final int MAX_BODY = 64 * 1024;
    private static final int MAX_MESSAGE = 500;
    private static final Duration MAX_WAIT = Duration.ofMinutes(10);

    private Refusals() {}

    static <T> Reply<T> of(HttpResponse<?> response, byte[] body) {
        JsonNode error = envelope(body);
        String message = error.path("message").asString("");
        if (message.isEmpty()) {
            message = new String(body, StandardCharsets.UTF_8).strip();
        }
        return new Reply.Refused<>(
                response.statusCode(),
                error.path("type").asString("error"),
                message.length() > MAX_MESSAGE ? message.substring(0, MAX_MESSAGE) : message,
                error.path("details"),
                retryAfter(response),
                response.headers().firstValue("x-should-retry").flatMap(Refusals::flag));
    }

    private static JsonNode envelope(byte[] body) {
        try {
            return Json.read(body, JsonNode.class).path("error");
        } catch (JsonException _) {
            return MissingNode.getInstance();
        }
    }

    private static Optional<Boolean> flag(String value) {
        return switch (value) {
            case "true" -> Optional.of(true);
            case "false" -> Optional.of(false);
            default -> Optional.empty();
        };
    }

    private static Optional<Duration> retryAfter(HttpResponse<?> response) {
        Optional<Duration> millis =
                response.headers().firstValue("retry-after-ms").flatMap(v -> duration(v, 1));
        return millis.isPresent()
                ? millis
                : response.headers().firstValue("retry-after").flatMap(v -> duration(v, 1000));
    }

    /// Seconds or milliseconds; a date, nonsense, or a wait beyond ten minutes counts as not said.
    private static Optional<Duration> duration(String text, int unit) {
        try {
            Duration wait = Duration.ofMillis((long) (Double.parseDouble(text.strip()) * unit));
            return wait.isPositive() && wait.compareTo(MAX_WAIT) <= 0
                    ? Optional.of(wait)
                    : Optional.empty();
        } catch (NumberFormatException _) {
            return Optional.empty();
        }
    }
}
