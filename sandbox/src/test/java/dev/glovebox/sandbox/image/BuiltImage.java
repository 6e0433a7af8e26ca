package dev.glovebox.sandbox.image;

import com.github.luben.zstd.Zstd;
import dev.glovebox.sandbox.layer.CraftedTar;
import dev.glovebox.sandbox.layer.CraftedTar.Header;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.zip.GZIPOutputStream;
import land.oras.ContainerRef;
import land.oras.Registry;

/// An image made by a test, pushed by the ORAS SDK or written as a layout: what reads it must not
/// be what wrote it.
public final class BuiltImage {
    static final String TAR = "application/vnd.oci.image.layer.v1.tar";
    static final String MANIFEST = "application/vnd.oci.image.manifest.v1+json";

    private final Map<Digest, byte[]> blobs = new LinkedHashMap<>();
    private final List<Descriptor> layers = new ArrayList<>();
    private final List<Digest> diffIds = new ArrayList<>();
    private String config = "{}";
    private String architecture = Manifest.architecture();

    /// A root with the programs of busybox, and a shell.
    public static BuiltImage busybox() throws IOException {
        CraftedTar tar =
                new CraftedTar()
                        .directory("./")
                        .directory("bin/")
                        .directory("etc/")
                        .directory("tmp/")
                        .directory("usr/")
                        .directory("usr/local/")
                        .file("etc/motd", "image\n");
        byte[] busybox = Files.readAllBytes(Path.of("/bin/busybox"));
        tar.header(new Header("bin/busybox", '0').mode(0755).size(busybox.length)).content(busybox);
        for (String name :
                List.of("sh", "ls", "cat", "id", "touch", "mkdir", "rm", "echo", "sleep", "env")) {
            tar.hardLink("bin/" + name, "bin/busybox");
        }
        return new BuiltImage().gzip(tar.end());
    }

    public BuiltImage gzip(byte[] tar) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
            gzip.write(tar);
        }
        return layer(TAR + "+gzip", out.toByteArray(), Digest.of(tar));
    }

    BuiltImage zstd(byte[] tar) {
        return layer(TAR + "+zstd", Zstd.compress(tar), Digest.of(tar));
    }

    BuiltImage plain(byte[] tar) {
        return layer(TAR, tar, Digest.of(tar));
    }

    BuiltImage layer(String mediaType, byte[] blob, Digest diffId) {
        layers.add(new Descriptor(mediaType, put(blob), blob.length));
        diffIds.add(diffId);
        return this;
    }

    /// The `config` object of the image's configuration.
    public BuiltImage config(String json) {
        config = json;
        return this;
    }

    BuiltImage architecture(String other) {
        architecture = other;
        return this;
    }

    String configuration() {
        String ids = diffIds.stream().map(id -> "\"" + id + "\"").collect(Collectors.joining(","));
        return """
        {"os":"linux","architecture":"%s","config":%s,"rootfs":{"type":"layers","diff_ids":[%s]}}\
        """
                .formatted(architecture, config, ids);
    }

    String manifest() {
        byte[] document = bytes(configuration());
        Descriptor described =
                new Descriptor(
                        "application/vnd.oci.image.config.v1+json", put(document), document.length);
        return """
        {"schemaVersion":2,"mediaType":"%s","config":%s,"layers":[%s]}\
        """
                .formatted(
                        MANIFEST,
                        json(described),
                        layers.stream().map(BuiltImage::json).collect(Collectors.joining(",")));
    }

    Digest manifestDigest() {
        return Digest.of(bytes(manifest()));
    }

    List<Descriptor> layers() {
        return List.copyOf(layers);
    }

    /// Every blob, configuration and manifest included.
    Map<Digest, byte[]> blobs() {
        put(bytes(manifest()));
        return new LinkedHashMap<>(blobs);
    }

    void push(Registry registry, String reference) {
        ContainerRef ref = ContainerRef.parse(reference);
        String manifest = manifest();
        blobs.values().forEach(blob -> registry.pushBlob(ref, blob));
        registry.pushManifest(ref, land.oras.Manifest.fromJson(manifest));
    }

    public BuiltImage writeLayout(Path directory, String tag) throws IOException {
        Path store = Files.createDirectories(directory.resolve("blobs/sha256"));
        for (Map.Entry<Digest, byte[]> blob : blobs().entrySet()) {
            Files.write(store.resolve(blob.getKey().hex()), blob.getValue());
        }
        byte[] manifest = bytes(manifest());
        String described = json(new Descriptor(MANIFEST, manifestDigest(), manifest.length));
        Files.writeString(directory.resolve("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
        Files.writeString(
                directory.resolve("index.json"),
                """
                {"schemaVersion":2,"manifests":[%s,"annotations":{"org.opencontainers.image.ref.name":"%s"}}]}\
                """
                        .formatted(described.substring(0, described.length() - 1), tag));
        return this;
    }

    static String json(Descriptor descriptor) {
        return """
        {"mediaType":"%s","digest":"%s","size":%d}\
        """
                .formatted(descriptor.mediaType(), descriptor.digest(), descriptor.size());
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private Digest put(byte[] blob) {
        Digest digest = Digest.of(blob);
        blobs.put(digest, blob);
        return digest;
    }
}
