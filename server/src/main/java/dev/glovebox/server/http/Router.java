package dev.glovebox.server.http;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Finds the endpoint for a method and a path. Patterns are literal segments and `{names}`; they
/// are tried in the order in which they were added, so a literal goes before a name at its place.
public final class Router {
    private final List<Route> routes = new ArrayList<>();

    /// Adds a `GET` endpoint.
    public Router get(String pattern, Access access, Endpoint endpoint) {
        return add("GET", pattern, access, endpoint);
    }

    /// Adds a `POST` endpoint.
    public Router post(String pattern, Access access, Endpoint endpoint) {
        return add("POST", pattern, access, endpoint);
    }

    /// Adds a `DELETE` endpoint.
    public Router delete(String pattern, Access access, Endpoint endpoint) {
        return add("DELETE", pattern, access, endpoint);
    }

    private Router add(String method, String pattern, Access access, Endpoint endpoint) {
        routes.add(new Route(method, pattern.split("/"), access, endpoint));
        return this;
    }

    /// Finds the endpoint.
    ///
    /// @param rawPath still percent-encoded, so that an encoded slash stays inside its segment
    Match find(String method, String rawPath) {
        String[] segments = rawPath.split("/");
        boolean pathKnown = false;
        for (Route route : routes) {
            Optional<Map<String, String>> values = route.match(segments);
            if (values.isPresent()) {
                if (route.method.equals(method)) {
                    return new Match.Found(route.access, route.endpoint, values.get());
                }
                pathKnown = true;
            }
        }
        return pathKnown ? new Match.WrongMethod() : new Match.Unknown();
    }

    /// What became of a look-up.
    sealed interface Match {
        record Found(Access access, Endpoint endpoint, Map<String, String> values)
                implements Match {}

        record WrongMethod() implements Match {}

        record Unknown() implements Match {}
    }

    @SuppressWarnings("ArrayRecordComponent")
    private record Route(String method, String[] pattern, Access access, Endpoint endpoint) {
        Optional<Map<String, String>> match(String[] segments) {
            if (segments.length != pattern.length) {
                return Optional.empty();
            }
            Map<String, String> values = new HashMap<>();
            for (int i = 0; i < pattern.length; i++) {
                if (pattern[i].startsWith("{")) {
                    String name = pattern[i].substring(1, pattern[i].length() - 1);
                    values.put(name, decode(segments[i]));
                } else if (!pattern[i].equals(segments[i])) {
                    return Optional.empty();
                }
            }
            return Optional.of(values);
        }

        private static String decode(String segment) {
            try {
                return URLDecoder.decode(segment.replace("+", "%2B"), StandardCharsets.UTF_8);
            } catch (IllegalArgumentException _) {
                return segment;
            }
        }
    }
}
