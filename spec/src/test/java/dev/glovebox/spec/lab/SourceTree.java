package dev.glovebox.spec.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/// The checkout these tests were built from.
///
/// Found by walking up from the build's `basedir` (or the working directory, for programs that the
/// launcher starts) to the folder that holds this room.
public final class SourceTree {
    private static final Set<String> NOT_SOURCES =
            Set.of("target", "node_modules", ".git", ".state", ".idea", ".vscode");

    private SourceTree() {}

    /// The root folder of the checkout.
    public static Path root() {
        Path start = Path.of(System.getProperty("basedir", System.getProperty("user.dir")));
        for (Path at = start.toAbsolutePath(); at != null; at = at.getParent()) {
            if (Files.isRegularFile(at.resolve("spec/src/test/node/package.json"))) {
                return at;
            }
        }
        throw new IllegalStateException("no glovebox checkout above " + start);
    }

    /// Every file a person wrote, relative to {@link #root()}, sorted.
    public static List<Path> files() {
        Path root = root();
        try (Stream<Path> walk = Files.walk(root)) {
            return walk.filter(Files::isRegularFile)
                    .map(root::relativize)
                    .filter(SourceTree::written)
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException("walk " + root, e);
        }
    }

    /// The text of one file named by {@link #files()}, empty when it is not UTF-8.
    public static String text(Path file) {
        try {
            return Files.readString(root().resolve(file));
        } catch (java.nio.charset.MalformedInputException e) {
            return "";
        } catch (IOException e) {
            throw new UncheckedIOException("read " + file, e);
        }
    }

    private static boolean written(Path relative) {
        for (Path part : relative) {
            if (NOT_SOURCES.contains(part.toString())) {
                return false;
            }
        }
        return true;
    }
}
