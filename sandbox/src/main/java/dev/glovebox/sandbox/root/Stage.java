package dev.glovebox.sandbox.root;

import dev.glovebox.linux.Mounts;
import dev.glovebox.linux.UserNamespace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// Puts the root directory of one sandbox together, as mounts that only one thread and the runtime
/// it starts can see.
///
/// Why not leave it to the runtime: runtimes differ in what they make of mount options once a user
/// namespace is in play (crun 1.8.1 drops `nosuid,nodev` of a writable bind, runc 1.1.5 gives a
/// tmpfs the mode of the directory below it). A mount that is already there when the user namespace
/// is made is *locked*: neither the runtime nor anybody inside can take it away or loosen its
/// flags. It also lets owners be shifted ([Mounts#bindMapped]), so no file is ever changed in
/// ownership, at any size.
///
/// The place is a directory of the host that is hidden for this thread only, since its own
/// directories are closed to everyone but root, and a runtime that has entered the user namespace
/// is no longer root.
///
/// Mount points are directories of a fresh tmpfs, or files of it, so no image and no agent can have
/// put a symbolic link in the way.
public final class Stage {
    private static final List<String> PLACES = List.of("/mnt", "/media", "/srv", "/opt");
    private static final long AGENT_ID = 1000;
    private static final long BYTES_PER_INODE = 16_384;

    private static final List<String> DIRECTORIES =
            List.of(
                    "usr",
                    "etc",
                    "proc",
                    "dev",
                    "sys",
                    "tmp",
                    "run",
                    "root",
                    "var/cache",
                    "var/lib",
                    "var/log",
                    "home/agent",
                    "workspace",
                    ".glovebox");

    private static final Map<String, String> LINKS = Map.of("var/tmp", "/tmp", "var/run", "/run");

    /// Links at the top of the host that lead into `/usr`, taken over as they are.
    private static final List<String> HOST_LINKS =
            List.of("bin", "sbin", "lib", "lib32", "lib64", "libx32");

    private final Path place;
    private final BaseRoot base;
    private final UserNamespace ids;
    private final long firstHostId;

    /// @param place from [#place]
    /// @param firstHostId where id 0 of the sandbox is on the host
    public Stage(Path place, BaseRoot base, UserNamespace ids, long firstHostId) {
        this.place = place;
        this.base = base;
        this.ids = ids;
        this.firstHostId = firstHostId;
    }

    /// Something of the host to show inside.
    ///
    /// @param source a directory or a regular file, owned on disk by ids of the sandbox
    /// @param target absolute path inside
    public record Entry(Path source, String target, boolean readOnly) {}

    /// A directory to hide the root under that hides none of `needed`.
    public static Optional<Path> place(List<Path> needed) {
        return PLACES.stream()
                .map(Path::of)
                .filter(p -> Files.isDirectory(p, LinkOption.NOFOLLOW_LINKS))
                .filter(p -> needed.stream().noneMatch(n -> n.startsWith(p)))
                .findFirst();
    }

    /// Assembles the root. The calling thread must be alone in its mount namespace.
    ///
    /// @param entries shown after everything else is in place
    /// @param tmpBytes size of `/tmp`
    /// @param homeBytes size of `/home/agent`
    /// @throws dev.glovebox.linux.LinuxException when a mount fails
    /// @throws IOException when a mount point cannot be made
    public void assemble(List<Entry> entries, long tmpBytes, long homeBytes) throws IOException {
        List<Path> sources = entries.stream().map(Entry::source).toList();
        for (Path source : sources) {
            if (source.startsWith(place)) {
                throw new IOException("source " + source + " lies under " + place);
            }
        }
        Mounts.tmpfs(place, "size=1m,nr_inodes=4096,mode=755," + owner(0));
        skeleton();
        Mounts.bind(Path.of("/usr"), place.resolve("usr"), true);
        Mounts.bindMapped(base.etc(), place.resolve("etc"), true, ids);
        Path init = Files.createFile(place.resolve(".glovebox/init"));
        Mounts.bind(base.init(), init, true);
        scratch("tmp", tmpBytes, "1777");
        scratch("home/agent", homeBytes, "755");
        for (Entry entry : entries) {
            Path target = place.resolve(entry.target().substring(1));
            mountPoint(entry, target);
            Mounts.bindMapped(entry.source(), target, entry.readOnly(), ids);
        }
        Mounts.makeReadOnly(place);
    }

    private void skeleton() throws IOException {
        for (String directory : DIRECTORIES) {
            BaseEtc.makeDirectories(place.resolve(directory));
        }
        for (Map.Entry<String, String> link : LINKS.entrySet()) {
            Files.createSymbolicLink(place.resolve(link.getKey()), Path.of(link.getValue()));
        }
        for (String name : HOST_LINKS) {
            Path link = Path.of("/", name);
            if (Files.isSymbolicLink(link)) {
                Files.createSymbolicLink(place.resolve(name), Files.readSymbolicLink(link));
            }
        }
    }

    private void scratch(String directory, long bytes, String mode) {
        long inodes = Math.max(1024, bytes / BYTES_PER_INODE);
        Mounts.tmpfs(
                place.resolve(directory),
                String.format(
                        Locale.ROOT,
                        "size=%d,nr_inodes=%d,mode=%s,%s",
                        bytes,
                        inodes,
                        mode,
                        owner(AGENT_ID)));
    }

    private String owner(long id) {
        return String.format(Locale.ROOT, "uid=%d,gid=%d", firstHostId + id, firstHostId + id);
    }

    private void mountPoint(Entry entry, Path target) throws IOException {
        refuseLinks(target);
        if (Files.isDirectory(entry.source())) {
            BaseEtc.makeDirectories(target);
        } else if (Files.isRegularFile(entry.source())) {
            Path parent = target.getParent();
            if (parent != null) {
                BaseEtc.makeDirectories(parent);
            }
            if (!Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
                Files.createFile(target, PosixFilePermissions.asFileAttribute(FILE_MODE));
            }
        } else {
            throw new IOException("no directory or regular file: " + entry.source());
        }
    }

    private static final java.util.Set<java.nio.file.attribute.PosixFilePermission> FILE_MODE =
            PosixFilePermissions.fromString("rw-r--r--");

    private void refuseLinks(Path target) throws IOException {
        for (Path p = target; p != null && p.startsWith(place); p = p.getParent()) {
            if (Files.isSymbolicLink(p)) {
                throw new IOException("a symbolic link is in the way of " + target + ": " + p);
            }
        }
    }
}
