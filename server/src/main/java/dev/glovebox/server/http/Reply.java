package dev.glovebox.server.http;

import dev.glovebox.server.stream.EventSink;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.NullNode;

/// What is sent back.
public sealed interface Reply {

    /// A JSON value with status 200.
    ///
    /// @param body a tree, a record of the protocol, or a Jackson `NullNode` for the bare `null`
    static Reply ok(Object body) {
        return new Json(200, body, Map.of());
    }

    /// The bare JSON `null` that an empty poll answers: anything else breaks workers.
    static Reply nothing() {
        return new Json(200, NullNode.getInstance(), Map.of());
    }

    /// The object that answers a delete.
    static Reply deleted(String id, String type) {
        JsonNode body = dev.glovebox.protocol.Json.object().put("id", id).put("type", type);
        return ok(body);
    }

    /// A JSON answer.
    record Json(int status, Object body, Map<String, String> headers) implements Reply {}

    /// An answer that goes on: headers are sent at once, then the body writes until it returns.
    record Stream(StreamBody body) implements Reply {}

    /// Writes an event stream.
    @FunctionalInterface
    interface StreamBody {
        /// Writes to the sink until the stream ends.
        ///
        /// @throws java.io.IOException when the reader is gone
        void write(EventSink sink) throws java.io.IOException, InterruptedException;
    }
}
