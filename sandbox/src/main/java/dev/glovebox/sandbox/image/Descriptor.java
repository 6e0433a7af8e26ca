package dev.glovebox.sandbox.image;

import tools.jackson.databind.JsonNode;

/// What a manifest says of a blob. Its `urls`, `data` and `annotations` are not read: content comes
/// from one place only.
///
/// @param size bytes of the blob, 0 or more
public record Descriptor(String mediaType, Digest digest, long size) {
    /// @throws ImageException if a part is missing or of the wrong kind
    static Descriptor read(JsonNode node, String what) {
        JsonNode size = node.path("size");
        if (!size.isIntegralNumber() || !size.canConvertToLong() || size.longValue() < 0) {
            throw ImageException.image(what + " has no proper size");
        }
        try {
            return new Descriptor(
                    node.path("mediaType").asString(""),
                    Digest.parse(node.path("digest").asString("")),
                    size.longValue());
        } catch (IllegalArgumentException e) {
            throw ImageException.image(what + ": " + e.getMessage());
        }
    }
}
