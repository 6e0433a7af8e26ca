package dev.glovebox.worker.http;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;

/// One request to the control plane.
///
/// @param path from `/v1/` on, its segments encoded with [#segment]
/// @param query decoded names and values
/// @param body JSON, empty = no body and no content type
/// @param timeout longest wait for the answer
public record ApiRequest(
        String method,
        String path,
        Map<String, String> query,
        Map<String, String> headers,
        Optional<JsonNode> body,
        Duration timeout) {
    /// How long a plain request may take.
    public static final Duration TIMEOUT = Duration.ofSeconds(30);

    /// A `GET`.
    public static ApiRequest get(String path) {
        return new ApiRequest("GET", path, Map.of(), Map.of(), Optional.empty(), TIMEOUT);
    }

    /// A `POST` without a body.
    public static ApiRequest post(String path) {
        return new ApiRequest("POST", path, Map.of(), Map.of(), Optional.empty(), TIMEOUT);
    }

    /// A `POST` of JSON.
    public static ApiRequest post(String path, JsonNode body) {
        return new ApiRequest("POST", path, Map.of(), Map.of(), Optional.of(body), TIMEOUT);
    }

    /// The same with one more query parameter.
    public ApiRequest with(String name, String value) {
        Map<String, String> more = new LinkedHashMap<>(query);
        more.put(name, value);
        return new ApiRequest(method, path, more, headers, body, timeout);
    }

    /// The same with one more header.
    public ApiRequest header(String name, String value) {
        Map<String, String> more = new LinkedHashMap<>(headers);
        more.put(name, value);
        return new ApiRequest(method, path, query, more, body, timeout);
    }

    /// The same with another timeout.
    public ApiRequest within(Duration time) {
        return new ApiRequest(method, path, query, headers, body, time);
    }

    /// One segment of a path, percent-encoded, so that no id can reach into another path.
    public static String segment(String id) {
        return encode(id);
    }

    /// Path and query as sent.
    String target() {
        if (query.isEmpty()) {
            return path;
        }
        return path
                + query.entrySet().stream()
                        .map(e -> encode(e.getKey()) + "=" + encode(e.getValue()))
                        .collect(Collectors.joining("&", "?", ""));
    }

    private static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }
}
