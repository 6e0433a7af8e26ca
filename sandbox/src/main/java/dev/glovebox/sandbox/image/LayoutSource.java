package dev.glovebox.sandbox.image;

import dev.glovebox.sandbox.image.ImageException.Band;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/// An OCI image layout directory on this host: `oci-layout`, `index.json` and `blobs/sha256/`.
///
/// Whoever may write there may choose the content, so it is verified as a registry's is. A blob is
/// never read through a symbolic link, and only from a regular file, so that a layout cannot be
/// made to show other files of the host or to hold the reader for ever.
final class LayoutSource implements BlobSource {
    private static final String TAG = "org.opencontainers.image.ref.name";

    private final Reference.Layout reference;
    private final int documentBytes;

    LayoutSource(Reference.Layout reference, int documentBytes) {
        this.reference = reference;
        this.documentBytes = documentBytes;
    }

    @Override
    public Document manifest(Optional<Digest> digest) throws IOException {
        if (digest.isPresent()) {
            return Document.of(read(blobPath(digest.get())), "");
        }
        byte[] index = read(reference.directory().resolve("index.json"));
        JsonNode manifests = Manifest.json(index, "index.json").path("manifests");
        for (JsonNode manifest : manifests) {
            if (manifest.path("annotations").path(TAG).asString("").equals(reference.tag())) {
                Descriptor descriptor = Descriptor.read(manifest, "a manifest of index.json");
                byte[] content = read(blobPath(descriptor.digest()));
                if (!Digest.of(content).equals(descriptor.digest())) {
                    throw ImageException.image(
                            "blob " + descriptor.digest() + " has another content");
                }
                return Document.of(content, descriptor.mediaType());
            }
        }
        throw new ImageException(
                Band.CALLER, "no image tagged " + reference.tag() + " in " + reference.directory());
    }

    @Override
    public InputStream blob(Descriptor descriptor) throws IOException {
        return open(blobPath(descriptor.digest()));
    }

    private Path blobPath(Digest digest) {
        return reference.directory().resolve("blobs/sha256").resolve(digest.hex());
    }

    private byte[] read(Path file) throws IOException {
        try (InputStream in = open(file)) {
            byte[] content = in.readNBytes(documentBytes + 1);
            if (content.length > documentBytes) {
                throw ImageException.image(
                        file.getFileName() + " is longer than " + documentBytes + " bytes");
            }
            return content;
        }
    }

    private InputStream open(Path file) throws IOException {
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            throw new ImageException(
                    Band.CALLER, "no OCI image layout, or not all of it: there is no file " + file);
        }
        try {
            return Files.newInputStream(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS);
        } catch (NoSuchFileException e) {
            throw new ImageException(Band.CALLER, "there is no file " + file, e);
        }
    }
}
