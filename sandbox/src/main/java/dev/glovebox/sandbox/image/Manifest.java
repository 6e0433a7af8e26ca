package dev.glovebox.sandbox.image;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// What a reference resolves to: the manifest of an image, or an index of manifests, one for each
/// kind of machine. In the words of OCI or in Docker's older ones.
sealed interface Manifest {
    /// An image.
    ///
    /// @param layers bottom first
    record Image(Descriptor config, List<Descriptor> layers) implements Manifest {
        public Image {
            layers = List.copyOf(layers);
        }
    }

    /// The manifest for this kind of machine, out of an index.
    record Index(Descriptor manifest) implements Manifest {}

    Set<String> IMAGE_TYPES =
            Set.of(
                    "application/vnd.oci.image.manifest.v1+json",
                    "application/vnd.docker.distribution.manifest.v2+json");

    Set<String> INDEX_TYPES =
            Set.of(
                    "application/vnd.oci.image.index.v1+json",
                    "application/vnd.docker.distribution.manifest.list.v2+json");

    Set<String> CONFIG_TYPES =
            Set.of(
                    "application/vnd.oci.image.config.v1+json",
                    "application/vnd.docker.container.image.v1+json");

    /// Reads documents of strangers: shallow, without a key twice.
    JsonMapper JSON =
            JsonMapper.builder(
                            JsonFactory.builder()
                                    .streamReadConstraints(
                                            StreamReadConstraints.builder()
                                                    .maxNestingDepth(32)
                                                    .maxStringLength(1 << 20)
                                                    .build())
                                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                                    .build())
                    .build();

    /// Reads a manifest or an index.
    ///
    /// @param mediaType what the place it came from says it is; may be empty. If the document says
    ///   so too they must agree, so that nobody takes one for the other
    /// @param architecture in OCI's words, such as `amd64`
    /// @throws ImageException for anything else than one of the two
    static Manifest read(JsonNode root, String mediaType, String architecture) {
        String said = root.path("mediaType").asString("");
        String type = said.isEmpty() ? mediaType : said;
        if (!mediaType.isEmpty() && !type.equals(mediaType)) {
            throw ImageException.image("a manifest of type " + mediaType + " says it is " + said);
        }
        if (root.has("layers") && root.has("manifests")) {
            throw ImageException.image("a manifest with both layers and manifests");
        }
        if (INDEX_TYPES.contains(type)) {
            return new Index(choose(root.path("manifests"), architecture));
        }
        if (IMAGE_TYPES.contains(type)) {
            return image(root);
        }
        throw ImageException.image("not an image, but of type '" + type + "'");
    }

    /// Reads a document.
    ///
    /// @throws ImageException if it is not JSON, or JSON made to harm its reader
    static JsonNode json(byte[] document, String what) {
        try {
            JsonNode root = JSON.readTree(document);
            if (!root.isObject()) {
                throw ImageException.image(what + " is not a JSON object");
            }
            return root;
        } catch (JacksonException e) {
            throw ImageException.image(what + " is not proper JSON: " + e.getOriginalMessage());
        }
    }

    /// This machine in OCI's words.
    static String architecture() {
        String arch = System.getProperty("os.arch", "").toLowerCase(Locale.ROOT);
        return switch (arch) {
            case "aarch64" -> "arm64";
            case "x86_64" -> "amd64";
            default -> arch;
        };
    }

    private static Image image(JsonNode root) {
        Descriptor config = Descriptor.read(root.path("config"), "the image's configuration");
        if (!CONFIG_TYPES.contains(config.mediaType())) {
            throw ImageException.image(
                    "not an image, but an artifact with a configuration of type '"
                            + config.mediaType()
                            + "'");
        }
        List<Descriptor> layers = new ArrayList<>();
        for (JsonNode layer : root.path("layers")) {
            layers.add(Descriptor.read(layer, "layer " + (layers.size() + 1)));
        }
        if (layers.isEmpty()) {
            throw ImageException.image("an image without layers");
        }
        return new Image(config, layers);
    }

    private static Descriptor choose(JsonNode manifests, String architecture) {
        for (JsonNode manifest : manifests) {
            JsonNode platform = manifest.path("platform");
            if (platform.path("os").asString("").equals("linux")
                    && platform.path("architecture").asString("").equals(architecture)) {
                return Descriptor.read(manifest, "a manifest of the index");
            }
        }
        throw ImageException.image("the image is not made for linux/" + architecture);
    }
}
