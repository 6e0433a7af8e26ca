package dev.glovebox.sandbox.image;

import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// Where the parts of one image are had from. Nothing of what it gives is believed: callers count
/// and verify.
interface BlobSource {
    /// A manifest or an index as it was found.
    ///
    /// @param digest of its bytes
    /// @param size its bytes
    /// @param mediaType what its place says it is; may be empty
    record Document(JsonNode json, Digest digest, int size, String mediaType) {
        static Document of(byte[] content, String mediaType) {
            return new Document(
                    Manifest.json(content, "the manifest"),
                    Digest.of(content),
                    content.length,
                    mediaType);
        }
    }

    /// Reads a manifest or an index.
    ///
    /// @param digest of the document, empty = the one that the reference's tag names now
    /// @throws ImageException if there is none, or it is longer than the limit
    Document manifest(Optional<Digest> digest) throws IOException;

    /// Opens a blob; the caller closes it.
    ///
    /// @throws ImageException if there is none
    InputStream blob(Descriptor descriptor) throws IOException;
}
