package dev.glovebox.sandbox.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.sandbox.Root;
import dev.glovebox.sandbox.layer.CraftedTar;
import dev.glovebox.sandbox.layer.CraftedTar.Header;
import dev.glovebox.sandbox.root.RootLayers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import land.oras.ContainerRef;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Images of a real registry and of layout directories. Needs root, for owners.
class RegistryIT {
    @TempDir private static Path shared;
    private static LocalRegistry registry;

    @TempDir private Path directory;
    private Images images;

    @BeforeAll
    static void start() throws IOException {
        registry = LocalRegistry.start(shared);
    }

    @AfterAll
    static void stop() {
        registry.close();
    }

    @BeforeEach
    void open() {
        images = Images.open(ImagesConfig.in(directory.resolve("images")));
    }

    @Test
    void anImageOfARegistry_isItsLayersTopFirst() throws IOException {
        BuiltImage image =
                new BuiltImage()
                        .gzip(new CraftedTar().directory("etc/").file("etc/a", "lower").end())
                        .zstd(new CraftedTar().file("etc/a", "upper").end())
                        .plain(new CraftedTar().header(new Header("etc/.wh.b", '0')).end())
                        .config(
                                """
                                {"Env":["PATH=/opt/bin:/bin","LANG=C","LD_PRELOAD=/evil.so","HOME=/root","BASH_ENV=/evil"],
                                 "User":"0","Entrypoint":["/evil"],"Labels":{"run.oci.hooks":"/evil"}}\
                                """);
        image.push(registry.client(), registry.host() + "/team/tool:1");

        RootLayers layers = images.layers(new Root.Image(registry.host() + "/team/tool:1"));

        assertThat(layers.topFirst()).hasSize(3);
        assertThat(Files.getAttribute(layers.topFirst().get(0).resolve("etc/b"), "unix:rdev"))
                .as("a whiteout")
                .isEqualTo(0L);
        assertThat(layers.topFirst().get(1).resolve("etc/a")).hasContent("upper");
        assertThat(layers.topFirst().get(2).resolve("etc/a")).hasContent("lower");
        assertThat(layers.environment())
                .as("of a hostile configuration nothing else is kept")
                .containsOnly(
                        java.util.Map.entry("PATH", "/opt/bin:/bin"),
                        java.util.Map.entry("LANG", "C"));
    }

    @Test
    void aTag_isResolvedOnceAndADigestIsItself() throws IOException {
        String tag = registry.host() + "/team/moved:latest";
        BuiltImage first = new BuiltImage().gzip(new CraftedTar().file("v", "1").end());
        first.push(registry.client(), tag);
        RootLayers pinned = images.layers(new Root.Image(tag));

        new BuiltImage().gzip(new CraftedTar().file("v", "2").end()).push(registry.client(), tag);

        assertThat(images.layers(new Root.Image(tag))).isEqualTo(pinned);
        String digest = registry.host() + "/team/moved@" + first.manifestDigest();
        assertThat(images.layers(new Root.Image(digest))).isEqualTo(pinned);
        PinnedImage anew = images.pull(tag, _ -> {});
        assertThat(anew.digest()).isNotEqualTo(first.manifestDigest().toString());
        assertThat(images.layers(new Root.Image(tag)).topFirst().getFirst().resolve("v"))
                .hasContent("2");
    }

    @Test
    void whatIsThere_isUsedWithoutTheRegistry() throws IOException {
        Path storage = Files.createDirectory(directory.resolve("own"));
        String tag;
        RootLayers before;
        try (LocalRegistry own = LocalRegistry.start(storage)) {
            tag = own.host() + "/a:1";
            BuiltImage.busybox().push(own.client(), tag);
            before = images.layers(new Root.Image(tag));
        }
        assertThat(images.layers(new Root.Image(tag))).isEqualTo(before);
        assertThatThrownBy(() -> images.pull(tag, _ -> {}))
                .isInstanceOf(ImageException.class)
                .extracting(e -> ((ImageException) e).band())
                .isEqualTo(ImageException.Band.REGISTRY);
    }

    @Test
    void anIndex_givesTheManifestForThisMachine() throws IOException {
        BuiltImage mine = new BuiltImage().gzip(new CraftedTar().file("mine", "").end());
        String repository = registry.host() + "/team/many";
        mine.push(registry.client(), repository + ":mine");
        String manifest = mine.manifest();
        String described =
                BuiltImage.json(
                        new Descriptor(
                                BuiltImage.MANIFEST, mine.manifestDigest(), manifest.length()));
        String platform =
                ",\"platform\":{\"os\":\"linux\",\"architecture\":\""
                        + Manifest.architecture()
                        + "\"}}";
        String index =
                "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":["
                        + described.replaceFirst("}$", "")
                        + platform
                        + "]}";
        registry.client()
                .pushIndex(
                        ContainerRef.parse(repository + ":all"), land.oras.Index.fromJson(index));

        PinnedImage pulled = images.pull(repository + ":all", _ -> {});

        assertThat(pulled.digest()).isEqualTo(mine.manifestDigest().toString());
    }

    @Test
    void anImageForAnotherMachine_isRefused() throws IOException {
        String tag = registry.host() + "/team/foreign:1";
        new BuiltImage()
                .gzip(new CraftedTar().file("f", "").end())
                .architecture("s390x")
                .push(registry.client(), tag);

        assertThatThrownBy(() -> images.layers(new Root.Image(tag)))
                .isInstanceOf(ImageException.class)
                .hasMessageContaining("linux/s390x");
    }

    @Test
    void aMissingImage_isTheCallersFault() {
        String tag = registry.host() + "/no/such:1";

        assertThatThrownBy(() -> images.layers(new Root.Image(tag)))
                .isInstanceOf(ImageException.class)
                .hasMessageContaining(tag)
                .extracting(e -> ((ImageException) e).band())
                .isEqualTo(ImageException.Band.CALLER);
    }

    @Test
    void aLayoutDirectory_isAnImageToo() throws IOException {
        Path layout = Files.createDirectory(directory.resolve("layout"));
        BuiltImage built = BuiltImage.busybox().writeLayout(layout, "v1");

        RootLayers layers = images.layers(new Root.Image("oci:" + layout + ":v1"));

        assertThat(layers.topFirst().getFirst().resolve("bin/busybox")).isExecutable();
        String digest = "oci:" + layout + "@" + built.manifestDigest();
        assertThat(images.layers(new Root.Image(digest))).isEqualTo(layers);
        assertThatThrownBy(() -> images.layers(new Root.Image("oci:" + layout + ":v2")))
                .hasMessageContaining("no image tagged v2");
    }

    /// A layout whose blob is a link to a file of the host shows nothing of that file.
    @Test
    void aLayoutBlobThatIsALink_isNotRead() throws IOException {
        Path layout = Files.createDirectory(directory.resolve("layout"));
        BuiltImage built = BuiltImage.busybox().writeLayout(layout, "v1");
        Path blob =
                layout.resolve("blobs/sha256").resolve(built.layers().getFirst().digest().hex());
        Path elsewhere = Files.move(blob, directory.resolve("elsewhere"));
        Files.createSymbolicLink(blob, elsewhere);

        assertThatThrownBy(() -> images.layers(new Root.Image("oci:" + layout + ":v1")))
                .isInstanceOf(ImageException.class);

        Files.delete(blob);
        Files.move(elsewhere, blob);
        assertThat(images.layers(new Root.Image("oci:" + layout + ":v1")).topFirst()).hasSize(1);
    }

    @Test
    void manyThatWantOneImageAtOnce_unpackItOnce() throws Exception {
        Path layout = Files.createDirectory(directory.resolve("layout"));
        BuiltImage.busybox().writeLayout(layout, "v1");
        Images second = Images.open(ImagesConfig.in(directory.resolve("images")));
        Root.Image image = new Root.Image("oci:" + layout + ":v1");
        List<Callable<RootLayers>> wishes = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            Images store = i % 2 == 0 ? images : second;
            wishes.add(() -> store.layers(image));
        }
        List<RootLayers> had = new ArrayList<>();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (Future<RootLayers> one : threads.invokeAll(wishes)) {
                had.add(one.get());
            }
        }

        assertThat(Set.copyOf(had)).hasSize(1);
        assertThat(entries("layers")).hasSize(1);
        assertThat(entries("partial")).isEmpty();
    }

    @Test
    void layersOfNoKnownImage_areCollectedUnlessASandboxMayLiveOnThem() throws IOException {
        Path layout = Files.createDirectory(directory.resolve("layout"));
        BuiltImage.busybox().gzip(new CraftedTar().file("own", "").end()).writeLayout(layout, "v1");
        images.layers(new Root.Image("oci:" + layout + ":v1"));
        Path orphan = Files.createDirectories(directory.resolve("images/layers/" + "a".repeat(64)));

        assertThat(images.collect().layers()).isEqualTo(1);
        assertThat(orphan).doesNotExist();
        images.forget("oci:" + layout + ":v1");
        assertThat(images.collect().layers()).as("they were given out").isZero();
        assertThat(entries("layers")).hasSize(2);
    }

    private List<String> entries(String part) throws IOException {
        try (Stream<Path> files = Files.list(directory.resolve("images").resolve(part))) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }
}
