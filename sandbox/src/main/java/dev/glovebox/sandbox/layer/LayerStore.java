package dev.glovebox.sandbox.layer;

import dev.glovebox.linux.ConfinedTree;
import dev.glovebox.linux.LinuxException;
import dev.glovebox.linux.Trees;
import dev.glovebox.sandbox.image.ImageException;
import dev.glovebox.sandbox.image.ImageException.Band;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// Layers as directories, and what each image is made of, in one directory of this host that
/// several processes may share.
///
/// ```
/// layers/KEY/tree/   a layer: complete, never written again
/// layers/KEY/facts   bytes and entries it was counted as
/// images/KEY.json    what a reference was resolved to
/// partial/KEY/       a layer being made; a leftover if nobody holds its lock
/// locks/             who works on what
/// ```
///
/// A layer is written below `partial`, put to the disk (`syncfs(2)`) and renamed. So whatever has a
/// name in `layers` is whole, at whichever instruction a process was killed or the power went; what
/// is left in `partial` is removed by the next that opens the store or wants the same layer.
public final class LayerStore {
    private static final Pattern KEY = Pattern.compile("[a-z0-9-]{1,80}");
    private static final String LAYER = "layer";

    private final Path directory;
    private final StoreLocks locks;

    /// Makes the content of a layer that is not there yet.
    public interface Filler {
        /// Fills a directory.
        ///
        /// @param tree empty, 0755
        /// @return what it counts as
        Facts fill(Path tree) throws IOException, InterruptedException;
    }

    /// What a layer counts as.
    public record Facts(long bytes, long entries) {}

    /// What a collection removed.
    public record Removed(int layers, long bytes) {}

    private LayerStore(Path directory, StoreLocks locks) {
        this.directory = directory;
        this.locks = locks;
    }

    /// Opens or makes a store, mode 0700, and removes what killed processes left unfinished.
    public static LayerStore open(Path directory) throws IOException {
        Files.createDirectories(directory);
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
        Path real = directory.toRealPath();
        for (String part : List.of("layers", "images", "partial", "locks")) {
            Files.createDirectories(real.resolve(part));
        }
        LayerStore store = new LayerStore(real, StoreLocks.of(real));
        store.locks.use();
        store.removeLeftovers();
        return store;
    }

    /// Whether something lies in the store that is being made, or was when its process was killed.
    public static boolean hasUnfinished(Path directory) {
        Path partial = directory.resolve("partial");
        return Files.isDirectory(partial) && !list(partial).isEmpty();
    }

    /// The lock for one reference, so that a tag is resolved once.
    public StoreLocks.Held holdImage(String key) throws IOException, InterruptedException {
        return locks.hold("image", key);
    }

    /// Where what a reference was resolved to is written.
    public Path imageFile(String key) {
        return directory.resolve("images").resolve(checked(key) + ".json");
    }

    /// All files of [#imageFile].
    public List<Path> imageFiles() {
        return list(directory.resolve("images"));
    }

    /// A layer that is there.
    public Optional<Path> layer(String key) {
        Path layer = layers().resolve(checked(key));
        if (!Files.isDirectory(layer)) {
            return Optional.empty();
        }
        locks.using(key);
        return Optional.of(layer.resolve("tree"));
    }

    /// Whether a layer is there, without taking it into use.
    public boolean has(String key) {
        return Files.isDirectory(layers().resolve(checked(key)));
    }

    /// What a layer that is there counts as.
    public Facts facts(String key) throws IOException {
        String[] words =
                Files.readString(layers().resolve(checked(key)).resolve("facts")).split(" ", -1);
        return new Facts(Long.parseLong(words[0]), Long.parseLong(words[1]));
    }

    /// A layer, made now if it is not there. Whoever else wants it meanwhile waits, in this process
    /// and in others. Blocks: not for virtual threads.
    ///
    /// @throws ImageException [Band#HOST] if it cannot be kept, else as the filler does, with
    ///   nothing left
    public Path layer(String key, Filler filler) throws IOException, InterruptedException {
        Optional<Path> ready = layer(key);
        if (ready.isPresent()) {
            return ready.get();
        }
        try (var _ = locks.hold(LAYER, key)) {
            if (layer(key).isEmpty()) {
                make(key, filler);
            }
            return layer(key).orElseThrow();
        }
    }

    /// Removes layers that nobody needs.
    ///
    /// @param needed keys to keep, beside those that this process has given out
    /// @return what was removed, empty = not now: another process uses the store
    public Optional<Removed> collect(Set<String> needed) throws IOException {
        List<Facts> removed = new ArrayList<>();
        boolean alone =
                locks.alone(() -> {
                    for (Path layer : list(layers())) {
                        String key = layer.getFileName().toString();
                        if (!needed.contains(key) && !locks.used().contains(key)) {
                            Facts facts = factsOrNone(key);
                            remove(layer);
                            removed.add(facts);
                        }
                    }
                });
        return alone
                ? Optional.of(
                        new Removed(removed.size(), removed.stream().mapToLong(Facts::bytes).sum()))
                : Optional.empty();
    }

    /// Writes a small file so that it is whole or not there.
    public void write(Path file, byte[] content) throws IOException {
        Path partial = directory.resolve("partial");
        Path fresh = Files.createTempFile(partial, "file", "");
        try {
            Files.write(fresh, content);
            sync(partial);
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(fresh);
        }
    }

    private void make(String key, Filler filler) throws IOException, InterruptedException {
        Path partial = directory.resolve("partial").resolve(checked(key));
        LayerDisk.removeLeftover(partial);
        Trees.remove(partial);
        try {
            Path tree = Files.createDirectories(partial.resolve("tree"));
            Files.setPosixFilePermissions(tree, PosixFilePermissions.fromString("rwxr-xr-x"));
            Facts facts = filler.fill(tree);
            Files.writeString(partial.resolve("facts"), facts.bytes() + " " + facts.entries());
            sync(partial);
            Files.move(partial, layers().resolve(key), StandardCopyOption.ATOMIC_MOVE);
            sync(layers());
        } catch (LinuxException e) {
            throw new ImageException(Band.HOST, "cannot keep a layer: " + e.getMessage(), e);
        } finally {
            removeAlsoWhenInterrupted(partial);
        }
    }

    /// A pull whose deadline has passed is interrupted, and must leave nothing all the same.
    private static void removeAlsoWhenInterrupted(Path partial) {
        boolean interrupted = Thread.interrupted();
        try {
            Trees.remove(partial);
        } catch (UncheckedIOException e) {
            if (!Thread.interrupted()) {
                throw e;
            }
            interrupted = true;
            Trees.remove(partial);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /// Away in one step, since half a layer must never have a name in `layers`.
    private void remove(Path layer) {
        Path partial = directory.resolve("partial").resolve(layer.getFileName());
        try {
            Trees.remove(partial);
            Files.move(layer, partial, StandardCopyOption.ATOMIC_MOVE);
            Trees.remove(partial);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot remove " + layer, e);
        }
    }

    /// One that a stranger to this store damaged is removed all the same.
    private Facts factsOrNone(String key) {
        try {
            return facts(key);
        } catch (IOException | IllegalArgumentException | IndexOutOfBoundsException e) {
            return new Facts(0, 0);
        }
    }

    private void removeLeftovers() throws IOException {
        for (Path partial : list(directory.resolve("partial"))) {
            String key = partial.getFileName().toString();
            var held = locks.tryHold(LAYER, key);
            if (held.isPresent()) {
                try (var _ = held.get()) {
                    LayerDisk.removeLeftover(partial);
                    Trees.remove(partial);
                }
            }
        }
    }

    private Path layers() {
        return directory.resolve("layers");
    }

    private static void sync(Path inside) {
        try (ConfinedTree tree = ConfinedTree.open(inside)) {
            tree.sync();
        }
    }

    private static List<Path> list(Path directory) {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory)) {
            entries.forEach(found::add);
            return found;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot list " + directory, e);
        }
    }

    private static String checked(String key) {
        if (!KEY.matcher(key).matches()) {
            throw new IllegalArgumentException("not a key of the store: " + key);
        }
        return key;
    }
}
