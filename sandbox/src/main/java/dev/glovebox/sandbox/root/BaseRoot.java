package dev.glovebox.sandbox.root;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;

/// What all sandboxes of a worker share and none can write: the synthetic `/etc` and the init
/// binary. Made once when the worker starts, in its state directory.
///
/// @param etc becomes `/etc`
/// @param init becomes `/.glovebox/init`; also run on the host, to dial
public record BaseRoot(Path etc, Path init) {
    private static final String INIT_RESOURCE = "/dev/glovebox/sandbox/glovebox-init";

    /// Makes it in a directory, whose earlier content is lost.
    public static BaseRoot prepare(Path directory) {
        try {
            if (Files.isDirectory(directory)) {
                remove(directory);
            }
            Path etc = directory.resolve("etc");
            BaseEtc.makeDirectories(etc);
            BaseEtc.fill(etc, Path.of("/etc"));
            Path init = directory.resolve("glovebox-init");
            extractInit(init);
            return new BaseRoot(etc, init);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot prepare " + directory, e);
        }
    }

    /// Removes a directory with all that is in it, never through a link.
    public static void remove(Path directory) throws IOException {
        Files.walkFileTree(
                directory,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                            throws IOException {
                        Files.delete(file);
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult postVisitDirectory(
                            Path visited, java.io.@org.jspecify.annotations.Nullable IOException e)
                            throws IOException {
                        Files.delete(visited);
                        return FileVisitResult.CONTINUE;
                    }
                });
    }

    private static void extractInit(Path target) throws IOException {
        try (InputStream binary = BaseRoot.class.getResourceAsStream(INIT_RESOURCE)) {
            if (binary == null) {
                throw new IOException("this build holds no " + INIT_RESOURCE);
            }
            Files.copy(binary, target, StandardCopyOption.REPLACE_EXISTING);
        }
        Files.setPosixFilePermissions(target, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
}
