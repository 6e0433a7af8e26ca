package dev.glovebox.server.agent;

import dev.glovebox.protocol.Json;
import dev.glovebox.server.http.Fields;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.node.ObjectNode;

/// Pairs of names and values that a client keeps on an object.
final class Metadata {
    private Metadata() {}

    /// Sets each pair that was sent and removes those sent as `null`.
    ///
    /// @throws dev.glovebox.protocol.ProblemException when a pair is not acceptable, or when there
    ///   are then too many (400)
    static void merge(ObjectNode object, Fields sent) {
        merge(object, sent, sent.metadata("metadata"));
    }

    static void merge(ObjectNode object, Fields sent, Map<String, Optional<String>> pairs) {
        ObjectNode metadata =
                object.get("metadata") instanceof ObjectNode old ? old : Json.object();
        pairs.forEach((key, value) ->
                value.ifPresentOrElse(v -> metadata.put(key, v), () -> metadata.remove(key)));
        if (metadata.size() > Fields.MAX_METADATA) {
            throw sent.refuse("metadata", "must have at most " + Fields.MAX_METADATA + " pairs");
        }
        object.set("metadata", metadata);
    }
}
