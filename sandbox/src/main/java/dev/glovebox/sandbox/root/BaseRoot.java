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
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What all sandboxes of a worker share and none can write: the synthetic `/etc` and the init
/// binary. Made once when the worker starts, in its state directory.
///
/// What only sandboxes with a root of layers need is made when the first of them is ([#host]).
public final class BaseRoot {
    /// What the name of overlayfs's own directory beside a kept layer ends in.
    static final String WORK = ".work";

    private static final String INIT_RESOURCE = "/dev/glovebox/sandbox/glovebox-init";

    private final Path directory;
    private final Path etc;
    private final Path init;
    private @Nullable HostTree host;

    private BaseRoot(Path directory, Path etc, Path init) {
        this.directory = directory;
        this.etc = etc;
        this.init = init;
    }

    /// Becomes `/etc`.
    public Path etc() {
        return etc;
    }

    /// Becomes `/.glovebox/init`; also run on the host, to dial.
    public Path init() {
        return init;
    }

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
            return new BaseRoot(directory, etc, init);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot prepare " + directory, e);
        }
    }

    /// The programs of this host as layers. The first call looks through all of `/usr`, which takes
    /// about a second.
    synchronized HostTree host() throws IOException {
        HostTree made = host;
        if (made == null) {
            Path place = directory.resolve("host");
            BaseEtc.makeDirectories(place);
            made = HostTree.prepare(place);
            host = made;
        }
        return made;
    }

    /// Makes the empty directory a layer is to be written to, and the one beside it that overlayfs
    /// works in.
    ///
    /// @param kept absolute, not there yet
    /// @param overHost whether the programs of this host lie below
    public void prepareKept(Path kept, boolean overHost) throws IOException {
        Path work = kept.resolveSibling(kept.getFileName() + WORK);
        for (Path made : List.of(kept, work)) {
            Files.createDirectory(made, PosixFilePermissions.asFileAttribute(ALL_MAY_READ));
            Files.setPosixFilePermissions(made, ALL_MAY_READ);
        }
        Files.createDirectory(work.resolve("w"));
        for (HostTree.Part part : overHost ? host().parts() : List.<HostTree.Part>of()) {
            BaseEtc.makeDirectories(kept.resolve(part.path()));
            Files.createDirectory(work.resolve("w" + part.path().replace('/', '-')));
        }
    }

    private static final Set<PosixFilePermission> ALL_MAY_READ =
            PosixFilePermissions.fromString("rwxr-xr-x");

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
                    public FileVisitResult postVisitDirectory(Path visited, @Nullable IOException e)
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
