package dev.glovebox.sandbox.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.ZstdOutputStreamNoFinalizer;
import dev.glovebox.sandbox.Root;
import dev.glovebox.sandbox.image.ImageException.Band;
import dev.glovebox.sandbox.layer.CraftedTar;
import dev.glovebox.sandbox.layer.CraftedTar.Header;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A registry, or somebody on the way to it, that gives something else than what was asked for. The
/// control of each test is the pull that works once the fault is gone. Needs root, for owners.
class HostileRegistryIT {
    private static final String BASIC =
            Base64.getEncoder().encodeToString("agent:secret".getBytes(StandardCharsets.UTF_8));
    private static final ImageLimits LIMITS =
            new ImageLimits(65_536, 4, 8 << 20, 200L << 20, 2_000, 20, 200, Duration.ofSeconds(60));

    @TempDir private Path directory;
    private BuiltImage image;
    private Digest layer;
    private HostileRegistry registry;
    private int stores;

    @BeforeEach
    void serve() throws IOException {
        image = new BuiltImage().gzip(new CraftedTar().file("f", "content").end());
        layer = image.layers().getFirst().digest();
        registry = HostileRegistry.serving(image);
    }

    @AfterEach
    void stop() {
        registry.close();
    }

    @Test
    void anAlteredBlob_isRefused() throws IOException {
        byte[] altered = image.blobs().get(layer).clone();
        altered[altered.length - 1] ^= 1;
        blobIsRefused(altered);
    }

    @Test
    void aTruncatedBlob_isRefused() throws IOException {
        byte[] blob = image.blobs().get(layer);
        blobIsRefused(Arrays.copyOf(blob, blob.length - 8));
    }

    @Test
    void aBlobWithMoreBehind_isRefused() throws IOException {
        byte[] blob = image.blobs().get(layer);
        blobIsRefused(Arrays.copyOf(blob, blob.length + 1));
    }

    @Test
    void aBlobThatBreaksOff_isRefused() throws IOException {
        byte[] blob = image.blobs().get(layer);
        HostileRegistry.Answer honest = registry.honest("/v2/a/blobs/" + layer);
        registry.blob(
                layer,
                e -> {
                    e.sendResponseHeaders(200, blob.length);
                    e.getResponseBody().write(blob, 0, blob.length / 2);
                    e.getResponseBody().flush();
                    throw new IOException("cut");
                });
        refused(LIMITS, Band.REGISTRY, "broke off");
        registry.blob(layer, honest);
        works();
    }

    @Test
    void aConfigurationWithOtherDiffIds_isRefused() throws IOException {
        byte[] tar = new CraftedTar().file("f", "other").end();
        Descriptor blob = image.layers().getFirst();
        BuiltImage liar =
                new BuiltImage().layer(blob.mediaType(), image.blobs().get(layer), Digest.of(tar));
        refusedImage(liar, "diff_id");
    }

    @Test
    void aManifestOfAnotherDigest_isRefused() throws IOException {
        String other = new BuiltImage().gzip(new CraftedTar().end()).manifest();
        registry.on(
                "/v2/a/manifests/" + image.manifestDigest(),
                e -> HostileRegistry.send(e, 200, BuiltImage.MANIFEST, BuiltImage.bytes(other)));

        assertThatThrownBy(() ->
                        images(LIMITS)
                                .layers(
                                        new Root.Image(
                                                registry.host() + "/a@" + image.manifestDigest())))
                .hasMessageContaining("came with content of digest");
        works();
    }

    @Test
    void manifestsMadeToHarm_areRefused() throws IOException {
        String sane = image.manifest();
        manifestIsRefused(" ".repeat(65_537), "longer than");
        manifestIsRefused("[".repeat(40_000), "JSON");
        manifestIsRefused("{\"a\":".repeat(5_000), "JSON");
        manifestIsRefused(sane.replaceFirst("\\{", "{\"layers\":[],"), "JSON");
        manifestIsRefused(sane.replaceFirst("\\{", "{\"manifests\":[],"), "both");
        manifestIsRefused(sane.replaceFirst("manifest.v1", "index.v1"), "says it is");
        manifestIsRefused(sane.replaceFirst("image.config.v1", "other.v1"), "artifact");
        manifestIsRefused(sane.replaceFirst("sha256:", "sha512:"), "sha256");
        manifestIsRefused(sane.replaceFirst("\"size\":\\d+", "\"size\":-1"), "size");
        manifestIsRefused(sane.replaceFirst("\"size\":\\d+", "\"size\":1e99"), "size");
        manifestIsRefused(sane.replaceFirst("\"size\":\\d+", "\"size\":99999999"), "configuration");
        String descriptor = BuiltImage.json(image.layers().getFirst());
        manifestIsRefused(
                sane.replace(descriptor, descriptor + ("," + descriptor).repeat(4)), "5 layers");
        manifestIsRefused(
                sane.replace(descriptor, descriptor.replace("tar+gzip", "tar+rar")), "not known");
        manifestIsRefused(
                sane.replace(descriptor, descriptor.replaceFirst("size\":\\d+", "size\":9999999")),
                "more than the limit");
        registry.manifest(BuiltImage.bytes(sane), BuiltImage.MANIFEST);
        works();
    }

    @Test
    void bombs_areRefusedAndLeaveNothing() throws IOException {
        byte[] header =
                new CraftedTar().header(new Header("zeros", '0').size(100L << 20)).withoutEnd();
        Feed zeros =
                out -> {
                    out.write(header);
                    for (int i = 0; i < 100; i++) {
                        out.write(new byte[1 << 20]);
                    }
                };
        refusedImage(bomb("+gzip", GZIPOutputStream::new, zeros), "bomb");
        refusedImage(bomb("+zstd", ZstdOutputStreamNoFinalizer::new, zeros), "bomb");
        refusedImage(new BuiltImage().plain(new byte[9 << 20]), "more than the limit");
        Feed million =
                out -> {
                    for (int i = 0; i < 1_000_000; i++) {
                        out.write(new CraftedTar().file("f" + i, "").withoutEnd());
                    }
                };
        refusedImage(
                bomb("+zstd", ZstdOutputStreamNoFinalizer::new, million), "more than 2000 entries");
    }

    private interface Feed {
        void into(OutputStream out) throws IOException;
    }

    private interface Packer {
        OutputStream over(OutputStream out) throws IOException;
    }

    /// Its diff_id is wrong, but to know that one would have to unpack it all.
    private static BuiltImage bomb(String kind, Packer packer, Feed feed) throws IOException {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (OutputStream out = packer.over(packed)) {
            feed.into(out);
        }
        return new BuiltImage()
                .layer(BuiltImage.TAR + kind, packed.toByteArray(), Digest.of(new byte[0]));
    }

    @Test
    void aBodyThatDrips_endsAtTheDeadline() throws IOException {
        ImageLimits hurried =
                new ImageLimits(65_536, 4, 8 << 20, 8 << 20, 100, 20, 200, Duration.ofSeconds(2));
        HostileRegistry.Answer honest = registry.honest("/v2/a/blobs/" + layer);
        CountDownLatch never = new CountDownLatch(1);
        registry.blob(
                layer,
                e -> {
                    e.sendResponseHeaders(200, image.layers().getFirst().size());
                    OutputStream body = e.getResponseBody();
                    body.write(image.blobs().get(layer), 0, 8);
                    body.flush();
                    await(never);
                });
        refused(hurried, Band.REGISTRY, "took longer than 2 s");
        never.countDown();
        registry.blob(layer, honest);
        works();
    }

    @Test
    void redirects_areFollowedButNotForEver() throws IOException {
        HostileRegistry.Answer honest = registry.honest("/v2/a/blobs/" + layer);
        registry.on("/elsewhere", honest);
        registry.blob(
                layer,
                e -> HostileRegistry.redirect(e, "http://" + registry.otherHost() + "/elsewhere"));
        works();
        registry.blob(layer, e -> HostileRegistry.redirect(e, e.getRequestURI().toString()));
        refused(LIMITS, Band.REGISTRY, "redirects more than 5 times");
        for (String place :
                new String[] {"file:///etc/passwd", "ftp://127.0.0.1/x", "//user@host/x", ""}) {
            registry.blob(layer, e -> HostileRegistry.redirect(e, place));
            refused(LIMITS, Band.REGISTRY, registry.host());
        }
    }

    /// The control is that the registry itself gets the credentials when it asks.
    @Test
    void credentials_goToNobodyButTheRegistryThatAsks() throws IOException {
        HostileRegistry.Answer honest = registry.honest("/v2/a/blobs/" + layer);
        HostileRegistry.Answer manifest = registry.honest("/v2/a/manifests/1");
        registry.on(
                "/v2/a/manifests/1",
                e -> {
                    if (HostileRegistry.credentials(e).equals(Optional.of("Basic " + BASIC))) {
                        manifest.give(e);
                    } else {
                        HostileRegistry.demand(e, "Basic realm=\"r\"");
                    }
                });
        registry.blob(
                layer,
                e -> HostileRegistry.redirect(e, "http://" + registry.otherHost() + "/thief"));
        registry.on(
                "/thief",
                e ->
                        HostileRegistry.demand(
                                e,
                                "Bearer realm=\"http://"
                                        + registry.otherHost()
                                        + "/token\",service=\"s\",scope=\"x\""));
        refused(LIMITS, Band.CALLER, "credentials");

        assertThat(registry.requests())
                .contains(registry.host() + "/v2/a/manifests/1 Basic " + BASIC)
                .contains(registry.otherHost() + "/thief none")
                .noneMatch(line -> line.contains("/token"))
                .noneMatch(line -> line.startsWith(registry.otherHost()) && line.contains("Basic"));
        registry.blob(layer, honest);
        works();
    }

    @Test
    void aToken_isAskedForWithTheCredentialsAndUsedAtTheRegistryAlone() throws IOException {
        HostileRegistry.Answer honest = registry.honest("/v2/a/blobs/" + layer);
        HostileRegistry.Answer manifest = registry.honest("/v2/a/manifests/1");
        registry.on(
                "/v2/a/manifests/1",
                e -> {
                    if (HostileRegistry.credentials(e).equals(Optional.of("Bearer tkn"))) {
                        manifest.give(e);
                    } else {
                        HostileRegistry.demand(
                                e,
                                "Bearer realm=\"http://"
                                        + registry.host()
                                        + "/token\",service=\"s\"");
                    }
                });
        registry.on(
                "/token",
                e ->
                        HostileRegistry.send(
                                e,
                                200,
                                "application/json",
                                BuiltImage.bytes("{\"token\":\"tkn\"}")));
        registry.on("/elsewhere", honest);
        registry.blob(
                layer,
                e -> HostileRegistry.redirect(e, "http://" + registry.otherHost() + "/elsewhere"));
        works();

        assertThat(registry.requests())
                .contains(registry.host() + "/token Basic " + BASIC)
                .contains(registry.host() + "/v2/a/blobs/" + layer + " Bearer tkn")
                .contains(registry.otherHost() + "/elsewhere none");
    }

    @Test
    void anAuthFileThatOthersCanRead_isNotUsed() throws IOException {
        registry.on("/v2/a/manifests/1", e -> HostileRegistry.demand(e, "Basic realm=\"r\""));
        Path file = authFile();
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));

        assertThatThrownBy(() ->
                        images(LIMITS, Optional.of(file))
                                .layers(new Root.Image(registry.reference())))
                .hasMessageContaining("chmod 600");
        assertThat(registry.requests()).noneMatch(line -> line.contains("Basic " + BASIC));
    }

    private void blobIsRefused(byte[] content) throws IOException {
        HostileRegistry.Answer honest = registry.honest("/v2/a/blobs/" + layer);
        registry.blob(
                layer, e -> HostileRegistry.send(e, 200, "application/octet-stream", content));
        refused(LIMITS, Band.IMAGE, "");
        registry.blob(layer, honest);
        works();
    }

    private void manifestIsRefused(String content, String because) throws IOException {
        registry.manifest(BuiltImage.bytes(content), BuiltImage.MANIFEST);
        refused(LIMITS, Band.IMAGE, because);
    }

    private void refusedImage(BuiltImage hostile, String because) throws IOException {
        try (HostileRegistry other = HostileRegistry.serving(hostile)) {
            refused(other.reference(), LIMITS, Band.IMAGE, because);
        }
    }

    private void refused(ImageLimits limits, Band band, String because) throws IOException {
        refused(registry.reference(), limits, band, because);
    }

    private void refused(String reference, ImageLimits limits, Band band, String because)
            throws IOException {
        Images images = images(limits);
        assertThatThrownBy(() -> images.layers(new Root.Image(reference)))
                .isInstanceOf(ImageException.class)
                .hasMessageContaining(reference)
                .hasMessageContaining(because)
                .extracting(e -> ((ImageException) e).band())
                .isEqualTo(band);
        for (String part : Set.of("layers", "images", "partial")) {
            try (Stream<Path> left = Files.list(store().resolve(part))) {
                assertThat(left).as("left in " + part).isEmpty();
            }
        }
    }

    private void works() throws IOException {
        assertThat(
                        images(LIMITS)
                                .layers(new Root.Image(registry.reference()))
                                .topFirst()
                                .getFirst()
                                .resolve("f"))
                .hasContent("content");
    }

    private Images images(ImageLimits limits) throws IOException {
        return images(limits, Optional.of(authFile()));
    }

    private Images images(ImageLimits limits, Optional<Path> authFile) {
        stores++;
        return Images.open(new ImagesConfig(store(), limits, authFile, Optional.empty(), Set.of()));
    }

    private Path store() {
        return directory.resolve("store" + stores);
    }

    private Path authFile() throws IOException {
        Path file =
                Files.writeString(
                        directory.resolve("auth.json"),
                        "{\"auths\":{\"" + registry.host() + "\":{\"auth\":\"" + BASIC + "\"}}}");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        return file;
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
