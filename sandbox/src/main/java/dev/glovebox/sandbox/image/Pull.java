package dev.glovebox.sandbox.image;

import dev.glovebox.linux.ConfinedTree;
import dev.glovebox.sandbox.image.ImageException.Band;
import dev.glovebox.sandbox.layer.LayerArchive;
import dev.glovebox.sandbox.layer.LayerStore;
import dev.glovebox.sandbox.layer.Quota;
import dev.glovebox.sandbox.layer.VerifiedInput;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// One image on its way into the store: manifest, configuration, then layer by layer, bottom first,
/// each only if the store has it not.
///
/// Runs on one thread, which must not be virtual. A second watches the deadline and then closes the
/// connection, since a body that comes a byte a minute is never late for its reader.
final class Pull {
    private final LayerStore store;
    private final ImageLimits limits;
    private final BlobSource source;
    private final Consumer<String> progress;
    private final String architecture = Manifest.architecture();
    private final Quota quota;
    private volatile @Nullable InputStream current;
    private volatile boolean late;

    Pull(LayerStore store, ImageLimits limits, BlobSource source, Consumer<String> progress) {
        this.store = store;
        this.limits = limits;
        this.source = source;
        this.progress = progress;
        this.quota = new Quota(limits);
    }

    /// Pulls.
    ///
    /// @param text the reference as it was written
    /// @param wanted digest that the reference names
    /// @throws ImageException with nothing left behind but whole layers
    PinnedImage run(String text, Optional<Digest> wanted) throws IOException, InterruptedException {
        CountDownLatch done = new CountDownLatch(1);
        Thread puller = Thread.currentThread();
        Thread.ofVirtual().name("pull-deadline").start(() -> watch(done, puller));
        try {
            return resolve(text, wanted);
        } catch (IOException | InterruptedException | RuntimeException e) {
            if (late) {
                throw new ImageException(
                        Band.REGISTRY,
                        "pulling "
                                + text
                                + " took longer than "
                                + limits.deadline().toSeconds()
                                + " s",
                        e);
            }
            throw e;
        } finally {
            done.countDown();
        }
    }

    private PinnedImage resolve(String text, Optional<Digest> wanted)
            throws IOException, InterruptedException {
        BlobSource.Document found = manifest(wanted);
        Manifest manifest = Manifest.read(found.json(), found.mediaType(), architecture);
        if (manifest instanceof Manifest.Index(Descriptor chosen)) {
            if (chosen.size() > limits.documentBytes()) {
                throw ImageException.image("the index names a manifest that is too long");
            }
            found = manifest(Optional.of(chosen.digest()));
            if (found.size() != chosen.size()) {
                throw ImageException.image("manifest " + chosen.digest() + " has another size");
            }
            manifest = Manifest.read(found.json(), chosen.mediaType(), architecture);
        }
        if (!(manifest instanceof Manifest.Image(Descriptor config, List<Descriptor> layers))) {
            throw ImageException.image("an index that names an index");
        }
        if (layers.size() > limits.layers()) {
            throw ImageException.image(
                    "an image of "
                            + layers.size()
                            + " layers, more than the limit of "
                            + limits.layers());
        }
        ImageSettings settings =
                ImageSettings.read(configuration(config), layers.size(), architecture);
        for (int i = 0; i < layers.size(); i++) {
            progress.accept(
                    "layer "
                            + (i + 1)
                            + " of "
                            + layers.size()
                            + ", "
                            + (layers.get(i).size() >> 20)
                            + " MiB");
            layer(layers.get(i), settings.diffIds().get(i));
        }
        return new PinnedImage(
                text,
                found.digest().toString(),
                settings.diffIds().stream().map(Digest::toString).toList(),
                settings.environment());
    }

    private BlobSource.Document manifest(Optional<Digest> digest) throws IOException {
        BlobSource.Document found = source.manifest(digest);
        if (digest.isPresent() && !digest.get().equals(found.digest())) {
            throw ImageException.image(
                    "manifest " + digest.get() + " came with content of digest " + found.digest());
        }
        return found;
    }

    private byte[] configuration(Descriptor config) throws IOException {
        if (config.size() > limits.documentBytes()) {
            throw ImageException.image(
                    "a configuration of "
                            + config.size()
                            + " bytes, more than "
                            + limits.documentBytes());
        }
        try (InputStream blob = opened(config)) {
            VerifiedInput verified = new VerifiedInput(blob, config);
            byte[] content = verified.readAllBytes();
            verified.finish();
            return content;
        } finally {
            current = null;
        }
    }

    private void layer(Descriptor blob, Digest diffId) throws IOException, InterruptedException {
        LayerArchive archive = new LayerArchive(blob, diffId, limits);
        String key = diffId.hex();
        if (store.layer(key).isPresent()) {
            count(key);
            return;
        }
        long bytes = quota.bytes();
        long entries = quota.entries();
        boolean[] made = new boolean[1];
        store.layer(
                key,
                directory -> {
                    try (ConfinedTree tree = ConfinedTree.open(directory);
                            InputStream content = opened(blob)) {
                        archive.unpack(content, tree, quota);
                    } finally {
                        current = null;
                    }
                    made[0] = true;
                    return new LayerStore.Facts(quota.bytes() - bytes, quota.entries() - entries);
                });
        if (!made[0]) {
            count(key);
        }
    }

    private void count(String key) throws IOException {
        LayerStore.Facts facts = store.facts(key);
        quota.add(facts.bytes(), facts.entries());
    }

    private InputStream opened(Descriptor descriptor) throws IOException {
        InputStream blob = source.blob(descriptor);
        current = blob;
        if (late) {
            blob.close();
        }
        return blob;
    }

    private void watch(CountDownLatch done, Thread puller) {
        try {
            if (done.await(limits.deadline().toMillis(), TimeUnit.MILLISECONDS)) {
                return;
            }
        } catch (InterruptedException e) {
            return; // nobody does
        }
        late = true;
        InputStream blob = current;
        if (blob == null) {
            puller.interrupt();
            return;
        }
        try {
            blob.close();
        } catch (IOException e) {
            puller.interrupt();
        }
    }
}
