package dev.glovebox.sandbox.root;

import dev.glovebox.linux.UserNamespace;
import dev.glovebox.linux.mount.Mounts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
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
    private static final Path PROGRAMS = Path.of("/usr");
    private static final long BYTES_PER_INODE = 16_384;
    static final Duration IN_USE_DEADLINE = Duration.ofSeconds(10);

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

    static final Map<String, String> LINKS = Map.of("var/tmp", "/tmp", "var/run", "/run");

    /// Links at the top of the host that lead into `/usr`, taken over as they are.
    static final List<String> HOST_LINKS =
            List.of("bin", "sbin", "lib", "lib32", "lib64", "libx32");

    private final Path place;
    private final BaseRoot base;
    private final Ids ids;
    private final Sources sources;

    /// @param place from [#place]
    /// @param sources from [#take], of the same plan and entries
    public Stage(Path place, BaseRoot base, Ids ids, Sources sources) {
        this.place = place;
        this.base = base;
        this.ids = ids;
        this.sources = sources;
    }

    /// Takes of the host what a root is made of. The caller closes it once the root is assembled.
    ///
    /// @throws dev.glovebox.linux.LinuxException if something is not there
    /// @throws IOException if a layer is no directory
    public static Sources take(RootPlan plan, BaseRoot base, List<Entry> entries)
            throws IOException {
        List<Path> paths = new ArrayList<>(List.of(base.init()));
        if (plan.plain()) {
            paths.addAll(List.of(PROGRAMS, base.etc()));
        } else {
            paths.addAll(LayeredRoot.sources(plan, base));
        }
        entries.forEach(entry -> paths.add(entry.source()));
        return Sources.of(paths);
    }

    /// The ids of one sandbox.
    ///
    /// @param first where id 0 of the sandbox is on the host
    /// @param agent id that commands run as, who owns the home directory
    /// @param layers shifts owners of layers
    /// @param mounts shifts owners of what is shown from the host; where commands run as root, root
    ///   there is the agent's id on disk, so that no file of uid 0 comes to be there
    public record Ids(long first, int agent, UserNamespace layers, UserNamespace mounts) {}

    /// Sizes of the places in memory.
    public record Scratch(long tmpBytes, long homeBytes) {}

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

    /// The root directory, once assembled.
    public Path root() {
        return place.resolve("root");
    }

    /// A directory of the sandbox's root beside the root directory, which nobody inside can reach.
    public Path beside(String name) throws IOException {
        Path directory = place.resolve(name);
        Files.createDirectory(directory);
        own(directory);
        return directory;
    }

    /// Assembles the root. The calling thread must be alone in its mount namespace.
    ///
    /// @param entries shown after everything else is in place
    /// @param scratch `/tmp` and `/home/agent`; empty = the runtime makes them
    /// @throws dev.glovebox.linux.LinuxException when a mount fails
    /// @throws IOException when a mount point cannot be made
    public void assemble(RootPlan plan, List<Entry> entries, Optional<Scratch> scratch)
            throws IOException {
        Mounts.tmpfs(place, "size=4m,nr_inodes=8192,mode=755," + owner(0));
        Path root = beside("root");
        if (plan.plain()) {
            Mounts.tmpfs(root, "size=1m,nr_inodes=4096,mode=755," + owner(0));
            skeleton();
            sources.bind(PROGRAMS, root.resolve("usr"), true);
            sources.bindMapped(base.etc(), root.resolve("etc"), true, ids.layers());
            Files.createFile(root.resolve(".glovebox/init"));
        } else {
            new LayeredRoot(this, plan, base).mount(entries);
        }
        sources.bind(base.init(), root.resolve(".glovebox/init"), true);
        if (scratch.isPresent()) {
            scratch("tmp", scratch.get().tmpBytes(), "1777");
            scratch("home/agent", scratch.get().homeBytes(), "755");
        }
        for (Entry entry : entries) {
            Path target = root.resolve(entry.target().substring(1));
            mountPoint(entry, target);
            sources.bindMapped(entry.source(), target, entry.readOnly(), ids.mounts());
        }
        if (plan.writable().isEmpty()) {
            Mounts.makeReadOnly(root, IN_USE_DEADLINE);
        }
    }

    Ids ids() {
        return ids;
    }

    Sources sources() {
        return sources;
    }

    /// Gives a file of ours to the sandbox's root.
    void own(Path path) throws IOException {
        Files.setAttribute(path, "unix:uid", (int) ids.first());
        Files.setAttribute(path, "unix:gid", (int) ids.first());
    }

    private void skeleton() throws IOException {
        for (String directory : DIRECTORIES) {
            BaseEtc.makeDirectories(root().resolve(directory));
        }
        for (Map.Entry<String, String> link : LINKS.entrySet()) {
            Files.createSymbolicLink(root().resolve(link.getKey()), Path.of(link.getValue()));
        }
        for (String name : HOST_LINKS) {
            Path link = Path.of("/", name);
            if (Files.isSymbolicLink(link)) {
                Files.createSymbolicLink(root().resolve(name), Files.readSymbolicLink(link));
            }
        }
    }

    private void scratch(String directory, long bytes, String mode) {
        long inodes = Math.max(1024, bytes / BYTES_PER_INODE);
        Mounts.tmpfs(
                root().resolve(directory),
                String.format(
                        Locale.ROOT,
                        "size=%d,nr_inodes=%d,mode=%s,%s",
                        bytes,
                        inodes,
                        mode,
                        owner(ids.agent())));
    }

    String owner(long id) {
        return String.format(Locale.ROOT, "uid=%d,gid=%d", ids.first() + id, ids.first() + id);
    }

    /// In a root of layers it is there already, as a directory or file that hides what a layer has
    /// in its place.
    private void mountPoint(Entry entry, Path target) throws IOException {
        refuseLinks(target);
        if (sources.isDirectory(entry.source())) {
            BaseEtc.makeDirectories(target);
        } else {
            Path parent = target.getParent();
            if (parent != null) {
                BaseEtc.makeDirectories(parent);
            }
            if (!Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
                Files.createFile(target, PosixFilePermissions.asFileAttribute(FILE_MODE));
            }
        }
    }

    private static final java.util.Set<java.nio.file.attribute.PosixFilePermission> FILE_MODE =
            PosixFilePermissions.fromString("rw-r--r--");

    private void refuseLinks(Path target) throws IOException {
        for (Path p = target; p != null && p.startsWith(root()); p = p.getParent()) {
            if (Files.isSymbolicLink(p)) {
                throw new IOException("a symbolic link is in the way of " + target + ": " + p);
            }
        }
    }
}
