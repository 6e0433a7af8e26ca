package dev.glovebox.sandbox.image;

import dev.glovebox.linux.KernelThread;
import dev.glovebox.linux.LinuxException;
import dev.glovebox.sandbox.Root;
import dev.glovebox.sandbox.image.ImageException.Band;
import dev.glovebox.sandbox.layer.LayerDisk;
import dev.glovebox.sandbox.layer.LayerStore;
import dev.glovebox.sandbox.root.RootLayers;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Consumer;

/// OCI images of strangers as directories of this host, ready to be the root of a sandbox.
///
/// A reference is resolved once: from then on the same one means the same layers, whatever its tag
/// is moved to, until [#pull] is asked for it again. Everything that is read is verified by its
/// digest, and everything has a limit. Thread-safe; several processes may use one store.
public final class Images {
    private final ImagesConfig config;
    private final LayerStore store;

    private Images(ImagesConfig config, LayerStore store) {
        this.config = config;
        this.store = store;
    }

    /// Opens or makes a store.
    ///
    /// @throws ImageException [Band#HOST] when its directory cannot be used
    public static Images open(ImagesConfig config) {
        try {
            return new Images(config, LayerStore.open(config.directory()));
        } catch (IOException | UncheckedIOException e) {
            throw new ImageException(
                    Band.HOST, "cannot use the store of images " + config.directory(), e);
        }
    }

    /// The layers of an image, pulled now if this store has not resolved its reference yet.
    ///
    /// @throws ImageException saying why it cannot be had
    public RootLayers layers(Root.Image image) {
        Reference reference = Reference.parse(image.reference());
        return guarded(
                image.reference(),
                () -> {
                    PinnedImage pinned = kept(image.reference()).orElse(null);
                    if (pinned == null) {
                        pinned = resolve(image.reference(), reference, false, _ -> {});
                    }
                    return layers(pinned);
                });
    }

    /// The layers of an image whose reference this store has resolved and that are all here.
    public Optional<RootLayers> layersHere(Root.Image image) {
        Reference.parse(image.reference());
        return kept(image.reference()).map(this::layers);
    }

    /// A layer that this host makes itself, once for each recipe. Whoever wants the same meanwhile
    /// waits, in this process and in others. It is limited as an image is.
    ///
    /// @param recipe all that decides what the layer is
    /// @param maker writes to the disk it is given
    /// @throws RuntimeException as the maker does, with nothing left
    /// @throws ImageException [Band#HOST] when the layer cannot be kept
    public Path made(String recipe, Consumer<LayerDisk> maker) {
        Optional<Path> ready = madeHere(recipe);
        if (ready.isPresent()) {
            return ready.get();
        }
        try {
            return KernelThread.call(
                    "prepare", () -> store.layer("made-" + key(recipe), tree -> fill(tree, maker)));
        } catch (IllegalStateException e) {
            throw new ImageException(Band.HOST, "cannot keep a layer: " + e.getCause(), e);
        }
    }

    /// The layer that this host has made by this recipe.
    public Optional<Path> madeHere(String recipe) {
        return store.layer("made-" + key(recipe));
    }

    private LayerStore.Facts fill(Path tree, Consumer<LayerDisk> maker) throws IOException {
        Files.delete(tree);
        ImageLimits limits = config.limits();
        try (LayerDisk disk =
                LayerDisk.make(tree.resolveSibling(""), limits.unpackedBytes(), limits.entries())) {
            maker.accept(disk);
            disk.keep(tree);
            return new LayerStore.Facts(0, 0);
        }
    }

    /// Resolves a reference anew, and pulls what is missing.
    ///
    /// @param text such as `registry.example/name:tag`
    /// @param progress is told, on another thread, what is being done
    /// @throws ImageException saying why it cannot be had; what was resolved before stays
    public PinnedImage pull(String text, Consumer<String> progress) {
        Reference reference = Reference.parse(text);
        return guarded(text, () -> resolve(text, reference, true, progress));
    }

    /// What is known.
    public List<PinnedImage> known() {
        List<PinnedImage> known = new ArrayList<>();
        for (Path file : store.imageFiles()) {
            read(file).ifPresent(known::add);
        }
        return known;
    }

    /// Bytes of the files in the layers of an image, as they were counted when it was unpacked.
    public long bytes(PinnedImage image) {
        try {
            long bytes = 0;
            for (String diffId : image.diffIds()) {
                String key = Digest.parse(diffId).hex();
                bytes += store.has(key) ? store.facts(key).bytes() : 0;
            }
            return bytes;
        } catch (IOException e) {
            throw new ImageException(Band.HOST, "cannot measure " + image.reference(), e);
        }
    }

    /// What [#collect] removed.
    ///
    /// @param bytes of files; of layers that this host made itself it is not known
    public record Collected(int layers, long bytes) {}

    /// Forgets what a reference was resolved to; the next use asks its registry again.
    ///
    /// @return whether it was known
    public boolean forget(String reference) {
        try {
            return Files.deleteIfExists(store.imageFile(key(reference)));
        } catch (IOException e) {
            throw new ImageException(Band.HOST, "cannot forget " + reference, e);
        }
    }

    /// Removes layers that no known image has and that this process has given to no sandbox.
    ///
    /// @return what was removed
    /// @throws ImageException [Band#HOST] when another process uses the store, whose sandboxes may
    ///   live on any layer
    public Collected collect() {
        Set<String> needed = new HashSet<>();
        for (PinnedImage image : known()) {
            image.diffIds().forEach(diffId -> needed.add(Digest.parse(diffId).hex()));
        }
        try {
            return store.collect(needed)
                    .map(facts -> new Collected(facts.layers(), facts.bytes()))
                    .orElseThrow(() ->
                            new ImageException(
                                    Band.HOST,
                                    "another process uses the store of images "
                                            + config.directory()
                                            + ": end it first"));
        } catch (IOException | UncheckedIOException e) {
            throw new ImageException(Band.HOST, "cannot collect layers", e);
        }
    }

    private PinnedImage resolve(
            String text, Reference reference, boolean anew, Consumer<String> progress) {
        return KernelThread.call(
                "pull",
                () -> {
                    try (var _ = store.holdImage(key(text))) {
                        Optional<PinnedImage> kept = anew ? Optional.empty() : kept(text);
                        return kept.isPresent() ? kept.get() : pull(text, reference, progress);
                    }
                });
    }

    private PinnedImage pull(String text, Reference reference, Consumer<String> progress)
            throws IOException, InterruptedException {
        PinnedImage pinned =
                switch (reference) {
                    case Reference.Layout layout ->
                            new Pull(
                                            store,
                                            config.limits(),
                                            new LayoutSource(
                                                    layout, config.limits().documentBytes()),
                                            progress)
                                    .run(text, layout.digest());
                    case Reference.Remote remote -> {
                        try (RegistrySource source = registry(remote)) {
                            yield new Pull(store, config.limits(), source, progress)
                                    .run(text, remote.digest());
                        }
                    }
                };
        store.write(store.imageFile(key(text)), pinned.json());
        return pinned;
    }

    private RegistrySource registry(Reference.Remote remote) {
        return new RegistrySource(
                remote,
                RegistryOrigin.of(remote.host(), config.plainRegistries()),
                new AuthFile(config.authFile()),
                RegistryTrust.of(config.caFile()),
                config.limits().documentBytes());
    }

    /// What a reference was resolved to, if all of its layers are there.
    private Optional<PinnedImage> kept(String text) {
        return read(store.imageFile(key(text)))
                .filter(pinned ->
                        pinned.diffIds().stream()
                                .allMatch(id -> store.layer(Digest.parse(id).hex()).isPresent()));
    }

    private Optional<PinnedImage> read(Path file) {
        try {
            return Files.exists(file)
                    ? Optional.of(PinnedImage.read(Files.readAllBytes(file)))
                    : Optional.empty();
        } catch (IOException e) {
            throw new ImageException(Band.HOST, "cannot read " + file, e);
        }
    }

    /// A layer that an image has twice is taken once, at its upper place: what it says there is all
    /// that it said below, and an overlay takes no directory twice.
    private RootLayers layers(PinnedImage pinned) {
        Set<Path> topFirst = new LinkedHashSet<>();
        for (String diffId : pinned.diffIds().reversed()) {
            topFirst.add(store.layer(Digest.parse(diffId).hex()).orElseThrow());
        }
        return new RootLayers(List.copyOf(topFirst), pinned.environment());
    }

    private static <T> T guarded(String text, Callable<T> work) {
        try {
            return work.call();
        } catch (ImageException e) {
            throw new ImageException(e.band(), text + ": " + e.getMessage(), e);
        } catch (LinuxException e) {
            throw new ImageException(Band.HOST, text + ": " + e.getMessage(), e);
        } catch (Exception e) {
            Throwable cause =
                    e instanceof IllegalStateException && e.getCause() != null ? e.getCause() : e;
            throw new ImageException(Band.REGISTRY, text + " cannot be read: " + cause, cause);
        }
    }

    private static String key(String reference) {
        return Digest.of(reference.getBytes(StandardCharsets.UTF_8)).hex();
    }
}
