package dev.glovebox.sandbox.root;

import dev.glovebox.linux.ConfinedTree;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/// The programs of this host for sandboxes whose commands run as root over a layer of their own:
/// layers for `/usr` and for what a package manager knows of it.
///
/// Root of such a sandbox owns what root of the host owns, or it could replace no file; so files
/// that not everybody on the host may read are hidden from it, each by a whiteout in a layer above.
/// They are looked for once, when the first such sandbox of a worker is made. What the host closes
/// later, while the worker runs, is not hidden.
///
/// @param skeleton the directories and links of the root
/// @param parts what is laid over below it
public record HostTree(Path skeleton, List<Part> parts) {
    /// Where parts can be.
    public static final Set<String> PARTS = Set.of("/etc", "/usr", "/var/lib/dpkg");

    private static final Path PACKAGES = Path.of("/var/lib/dpkg");

    private static final List<String> DIRECTORIES =
            List.of(
                    "usr",
                    "etc",
                    "proc",
                    "dev",
                    "sys",
                    "tmp",
                    "run/lock",
                    "root",
                    "srv",
                    "opt",
                    "mnt",
                    "media",
                    "home/agent",
                    "var/backups",
                    "var/cache/apt/archives/partial",
                    "var/cache/debconf",
                    "var/lib/apt/lists/partial",
                    "var/lib/dpkg",
                    "var/lib/misc",
                    "var/local",
                    "var/log/apt",
                    "var/mail",
                    "var/opt",
                    "var/spool",
                    "workspace",
                    ".glovebox");

    /// A directory inside, and what lies in it, top first.
    public record Part(String path, List<Path> lowers) {
        public Part {
            lowers = List.copyOf(lowers);
        }
    }

    public HostTree {
        parts = List.copyOf(parts);
    }

    /// Where parts are, of the programs of this host.
    public static Set<String> partsHere() {
        return Files.isDirectory(PACKAGES) ? PARTS : Set.of("/etc", "/usr");
    }

    /// Makes it in a directory.
    static HostTree prepare(Path directory) throws IOException {
        Path skeleton = directory.resolve("skeleton");
        for (String name : DIRECTORIES) {
            BaseEtc.makeDirectories(skeleton.resolve(name));
        }
        for (Map.Entry<String, String> link : Stage.LINKS.entrySet()) {
            Files.createSymbolicLink(skeleton.resolve(link.getKey()), Path.of(link.getValue()));
        }
        for (String name : Stage.HOST_LINKS) {
            Path link = Path.of("/", name);
            if (Files.isSymbolicLink(link)) {
                Files.createSymbolicLink(skeleton.resolve(name), Files.readSymbolicLink(link));
            }
        }
        Path etc = directory.resolve("etc");
        BaseEtc.makeDirectories(etc);
        BaseEtc.fill(etc, Path.of("/etc"));
        PackageEtc.fill(etc, Path.of("/etc"));
        List<Part> parts = new ArrayList<>();
        parts.add(new Part("etc", List.of(etc)));
        parts.add(part("usr", directory.resolve("hidden-usr")));
        if (Files.isDirectory(PACKAGES)) {
            parts.add(part("var/lib/dpkg", directory.resolve("hidden-dpkg")));
        }
        return new HostTree(skeleton, parts);
    }

    private static Part part(String path, Path hidden) throws IOException {
        BaseEtc.makeDirectories(hidden);
        Path host = Path.of("/", path);
        hideWhatIsNotForAll(host, hidden);
        return new Part(path, List.of(hidden, host));
    }

    /// Fills a layer with whiteouts for what not everybody may read below a directory.
    static void hideWhatIsNotForAll(Path host, Path layer) throws IOException {
        Set<Path> made = new HashSet<>();
        try (ConfinedTree tree = ConfinedTree.open(layer)) {
            Files.walkFileTree(
                    host,
                    new SimpleFileVisitor<>() {
                        @Override
                        public FileVisitResult preVisitDirectory(
                                Path directory, BasicFileAttributes attributes) throws IOException {
                            if (directory.equals(host) || forAll(directory, true)) {
                                return FileVisitResult.CONTINUE;
                            }
                            hide(directory);
                            return FileVisitResult.SKIP_SUBTREE;
                        }

                        @Override
                        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                                throws IOException {
                            if (!attributes.isSymbolicLink() && !forAll(file, false)) {
                                hide(file);
                            }
                            return FileVisitResult.CONTINUE;
                        }

                        // What the host removes meanwhile needs no hiding.
                        @Override
                        public FileVisitResult visitFileFailed(Path file, IOException e)
                                throws IOException {
                            if (e instanceof NoSuchFileException) {
                                return FileVisitResult.CONTINUE;
                            }
                            throw e;
                        }

                        private void hide(Path path) throws IOException {
                            Path relative = host.relativize(path);
                            for (int i = 1; i < relative.getNameCount(); i++) {
                                Path parent = relative.subpath(0, i);
                                if (made.add(parent)) {
                                    likeTheHosts(host, tree, parent);
                                }
                            }
                            tree.whiteout(relative.toString());
                        }
                    });
        }
    }

    private static void likeTheHosts(Path host, ConfinedTree tree, Path relative)
            throws IOException {
        PosixFileAttributes of =
                Files.readAttributes(host.resolve(relative), PosixFileAttributes.class);
        int mode = (int) Files.getAttribute(host.resolve(relative), "unix:mode") & 07777;
        tree.directory(
                relative.toString(),
                new ConfinedTree.Attributes(
                        0, 0, mode, of.lastModifiedTime().to(TimeUnit.SECONDS)));
    }

    private static boolean forAll(Path path, boolean directory) throws IOException {
        Set<PosixFilePermission> permissions;
        try {
            permissions = Files.getPosixFilePermissions(path, LinkOption.NOFOLLOW_LINKS);
        } catch (NoSuchFileException e) {
            return true;
        }
        return permissions.contains(PosixFilePermission.OTHERS_READ)
                && (!directory || permissions.contains(PosixFilePermission.OTHERS_EXECUTE));
    }
}
