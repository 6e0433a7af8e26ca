package dev.glovebox.sandbox.root;

import dev.glovebox.linux.UserNamespace;
import dev.glovebox.linux.mount.DetachedMount;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The parts of the host that one root directory is made of, taken before its thread goes where the
/// host's mounts are not seen ([dev.glovebox.linux.mount.MountNamespace]). Each is used once for
/// each time it was asked for.
public final class Sources implements AutoCloseable {
    private enum Kind {
        DIRECTORY,
        FILE,
        OTHER
    }

    private record Source(DetachedMount mount, Kind kind) {}

    private final Map<Path, Deque<Source>> taken = new HashMap<>();

    private Sources() {}

    static Sources of(List<Path> paths) {
        Sources sources = new Sources();
        try {
            paths.forEach(sources::take);
            return sources;
        } catch (RuntimeException e) {
            sources.close();
            throw e;
        }
    }

    private void take(Path path) {
        Kind kind =
                Files.isDirectory(path)
                        ? Kind.DIRECTORY
                        : Files.isRegularFile(path) ? Kind.FILE : Kind.OTHER;
        Source source = new Source(DetachedMount.of(path), kind);
        taken.computeIfAbsent(path, _ -> new ArrayDeque<>()).add(source);
    }

    /// Whether it is a directory, not a regular file.
    ///
    /// @throws IOException if it is neither
    boolean isDirectory(Path path) throws IOException {
        Source source = known(path).peek();
        if (source == null || source.kind() == Kind.OTHER) {
            throw new IOException("no directory or regular file: " + path);
        }
        return source.kind() == Kind.DIRECTORY;
    }

    /// Mounts it, owners as they are.
    void bind(Path path, Path target, boolean readOnly) {
        try (DetachedMount mount = next(path)) {
            mount.attach(target, readOnly);
        }
    }

    /// Mounts it, owners shifted.
    void bindMapped(Path path, Path target, boolean readOnly, UserNamespace ids) {
        try (DetachedMount mount = next(path)) {
            mount.attachMapped(target, readOnly, ids);
        }
    }

    private DetachedMount next(Path path) {
        Source source = known(path).poll();
        if (source == null) {
            throw new IllegalStateException("used more often than taken: " + path);
        }
        return source.mount();
    }

    private Deque<Source> known(Path path) {
        Deque<Source> known = taken.get(path);
        if (known == null) {
            throw new IllegalStateException("not taken: " + path);
        }
        return known;
    }

    @Override
    public void close() {
        taken.values().forEach(each -> each.forEach(source -> source.mount().close()));
        taken.clear();
    }
}
