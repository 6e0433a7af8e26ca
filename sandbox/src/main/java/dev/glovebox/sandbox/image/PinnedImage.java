package dev.glovebox.sandbox.image;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/// What a reference was resolved to, once.
///
/// @param reference as it was written
/// @param digest `sha256:…` of the manifest for this kind of machine: what to write to have exactly
///   this image
/// @param diffIds of the unpacked layers, bottom first
/// @param environment what is taken from its configuration
public record PinnedImage(
        String reference, String digest, List<String> diffIds, Map<String, String> environment) {
    public PinnedImage {
        diffIds = List.copyOf(diffIds);
        environment = Map.copyOf(environment);
    }

    byte[] json() {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("reference", reference);
        fields.put("digest", digest);
        fields.put("diff_ids", diffIds);
        fields.put("environment", environment);
        return Manifest.JSON.writeValueAsBytes(fields);
    }

    static PinnedImage read(byte[] json) {
        JsonNode root = Manifest.json(json, "a record of the store");
        List<String> diffIds = new ArrayList<>();
        root.path("diff_ids").forEach(digest -> diffIds.add(digest.asString("")));
        Map<String, String> environment = new LinkedHashMap<>();
        root.path("environment")
                .properties()
                .forEach(entry -> environment.put(entry.getKey(), entry.getValue().asString("")));
        return new PinnedImage(
                root.path("reference").asString(""),
                root.path("digest").asString(""),
                diffIds,
                environment);
    }
}
