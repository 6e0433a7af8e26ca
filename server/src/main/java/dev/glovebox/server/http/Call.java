package dev.glovebox.server.http;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.JsonException;
import dev.glovebox.protocol.ProblemException;
import dev.glovebox.server.access.Caller;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// One request, authenticated, as an endpoint sees it.
public final class Call {
    private final Caller caller;
    private final Map<String, String> path;
    private final Query query;
    private final Function<String, Optional<String>> headers;
    private final Supplier<byte[]> body;

    Call(
            Caller caller,
            Map<String, String> path,
            Query query,
            Function<String, Optional<String>> headers,
            Supplier<byte[]> body) {
        this.caller = caller;
        this.path = path;
        this.query = query;
        this.headers = headers;
        this.body = body;
    }

    /// Who asks.
    public Caller caller() {
        return caller;
    }

    /// The decoded path segment that the pattern calls by this name.
    public String path(String name) {
        String value = path.get(name);
        if (value == null) {
            throw new IllegalArgumentException("the pattern has no {" + name + "}");
        }
        return value;
    }

    /// The query.
    public Query query() {
        return query;
    }

    /// A request header, if it was sent and is not empty.
    public Optional<String> header(String name) {
        return headers.apply(name).filter(value -> !value.isBlank());
    }

    /// The body, which must be a JSON object.
    public Fields json() {
        return fields(body.get());
    }

    /// The body as a JSON object, or an empty one when no body was sent.
    public Fields jsonOrEmpty() {
        byte[] bytes = body.get();
        return bytes.length == 0 ? new Fields("", Json.object()) : fields(bytes);
    }

    private static Fields fields(byte[] bytes) {
        if (bytes.length == 0) {
            throw ProblemException.invalid("the request needs a JSON body");
        }
        try {
            JsonNode tree = Json.read(bytes, JsonNode.class);
            if (tree instanceof ObjectNode object) {
                return new Fields("", object);
            }
        } catch (JsonException e) {
            throw ProblemException.invalid("the request body is " + e.getMessage());
        }
        throw ProblemException.invalid("the request body must be a JSON object");
    }
}
