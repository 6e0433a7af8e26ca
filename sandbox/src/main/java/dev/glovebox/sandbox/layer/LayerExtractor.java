package dev.glovebox.sandbox.layer;

import dev.glovebox.linux.ConfinedTree;
import dev.glovebox.linux.ConfinedTree.Attributes;
import dev.glovebox.linux.Errno;
import dev.glovebox.linux.LinuxException;
import dev.glovebox.sandbox.image.ImageException;
import dev.glovebox.sandbox.image.ImageException.Band;
import java.io.IOException;
import java.io.InputStream;
import java.util.HashSet;
import java.util.Set;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;

/// Writes the archive of a layer into a directory, on the assumption that the archive was made to
/// do harm.
///
/// - **Where:** every write is confined to the directory by the kernel ([ConfinedTree]); no link of
///   the archive is ever followed, so there is no order of entries that leads out.
/// - **Once:** what an entry has made no later one changes. A name that comes twice, as `a` and
///   `a/` or as file and whiteout, is refused, so that all readers of the archive agree on what it
///   says.
/// - **What:** directories, regular files, symbolic links, and hard links to regular files of the
///   same layer. A device, FIFO, sparse or unknown entry is refused, but for devices below `dev/`,
///   which are left out: a sandbox has a `/dev` of its own.
/// - **As what:** owners are ids of the sandbox, 0 to 65,535, written as such. Set-user-ID and
///   set-group-ID are taken away, and no extended attribute is kept, so no file capability.
/// - **How much:** bytes as written and entries as made count against the image's [Quota].
///
/// Whiteouts become those of an overlay. Blocks on the disk: not for virtual threads.
final class LayerExtractor {
    private static final int HIGHEST_ID = 65_535;
    private static final int LONGEST_TARGET = 4095;
    private static final int MOST_IMPLICIT = 10_000;
    private static final long LATEST = 1L << 34; // the year 2514

    private static final Attributes IMPLICIT = new Attributes(0, 0, 0755, 0);

    private final ConfinedTree tree;
    private final Quota quota;
    private final int depth;

    /// Directories that were made because something lies in them, and not yet by an entry.
    private final Set<String> implicit = new HashSet<>();

    private boolean rootSeen;

    LayerExtractor(ConfinedTree tree, Quota quota, int depth) {
        this.tree = tree;
        this.quota = quota;
        this.depth = depth;
    }

    /// Writes all of it.
    ///
    /// @throws ImageException saying which entry cannot be, [Band#HOST] when the disk is full
    void extract(InputStream archive) {
        try {
            extract(new TarHeaders(archive));
            nothingFollows(archive);
        } catch (IOException e) {
            throw ImageException.image("an archive that is not tar, or not all: " + e.getMessage());
        }
    }

    private void extract(TarHeaders tar) throws IOException {
        for (TarArchiveEntry entry = tar.next(); entry != null; entry = tar.next()) {
            EntryPath path = EntryPath.parse(entry.getName(), depth);
            quota.entry();
            try {
                write(path, entry, tar);
            } catch (LinuxException e) {
                throw blamed(path, e);
            }
        }
    }

    private void write(EntryPath path, TarArchiveEntry entry, InputStream content)
            throws IOException {
        byte type = entry.getLinkFlag();
        boolean regular = type == TarArchiveEntry.LF_NORMAL || type == TarArchiveEntry.LF_OLDNORM;
        if (entry.isSparse()) {
            throw EntryPath.refused(path.path(), "is a sparse file");
        }
        if (!regular && entry.getSize() != 0) {
            throw EntryPath.refused(path.path(), "is no file but has content");
        }
        if (path.isRoot()) {
            root(type, entry);
            return;
        }
        if (path.trailingSlash() && type != TarArchiveEntry.LF_DIR) {
            throw EntryPath.refused(path.path() + "/", "is named as a directory but is none");
        }
        parents(path.parent());
        if (path.isWhiteout()) {
            whiteout(path, regular);
            return;
        }
        switch (type) {
            case TarArchiveEntry.LF_NORMAL, TarArchiveEntry.LF_OLDNORM ->
                    tree.file(path.path(), attributes(path, entry), quota.counted(content));
            case TarArchiveEntry.LF_DIR -> directory(path, entry);
            case TarArchiveEntry.LF_SYMLINK -> symbolicLink(path, entry);
            case TarArchiveEntry.LF_LINK -> hardLink(path, entry);
            default -> device(path);
        }
    }

    private void root(byte type, TarArchiveEntry entry) {
        if (type != TarArchiveEntry.LF_DIR || rootSeen) {
            throw EntryPath.refused("/", "is not one directory");
        }
        rootSeen = true;
        tree.attributes("", attributes(new EntryPath("", true), entry));
    }

    private void directory(EntryPath path, TarArchiveEntry entry) {
        if (implicit.remove(path.path())) {
            tree.attributes(path.path(), attributes(path, entry));
        } else {
            tree.directory(path.path(), attributes(path, entry));
        }
    }

    private void symbolicLink(EntryPath path, TarArchiveEntry entry) {
        String target = entry.getLinkName();
        if (target.isEmpty()
                || target.length() > LONGEST_TARGET
                || target.indexOf('\0') >= 0
                || target.indexOf('\uFFFD') >= 0) {
            throw EntryPath.refused(path.path(), "is a link to no proper path");
        }
        tree.symbolicLink(path.path(), target, attributes(path, entry));
    }

    private void hardLink(EntryPath path, TarArchiveEntry entry) {
        EntryPath existing = EntryPath.parse(entry.getLinkName(), depth);
        if (existing.isRoot() || !tree.isRegularFile(existing.path())) {
            throw EntryPath.refused(
                    path.path(), "is a hard link to what is no earlier file of the layer");
        }
        tree.hardLink(path.path(), existing.path());
    }

    private void whiteout(EntryPath path, boolean regular) {
        if (!regular) {
            throw EntryPath.refused(path.path(), "is a whiteout but no file");
        }
        if (path.isOpaque()) {
            tree.opaque(path.parent());
        } else {
            tree.whiteout(path.hidden());
        }
    }

    private static void device(EntryPath path) {
        if (!path.path().startsWith("dev/")) {
            throw EntryPath.refused(path.path(), "is a device or FIFO");
        }
    }

    /// Makes the directories above that no entry has made.
    private void parents(String directory) {
        if (directory.isEmpty() || tree.isDirectory(directory)) {
            return;
        }
        parents(directory.substring(0, Math.max(0, directory.lastIndexOf('/'))));
        quota.entry();
        if (implicit.size() >= MOST_IMPLICIT) {
            throw EntryPath.refused(directory, "is one too many that no entry makes");
        }
        tree.directory(directory, IMPLICIT);
        implicit.add(directory);
    }

    private static Attributes attributes(EntryPath path, TarArchiveEntry entry) {
        long uid = entry.getLongUserId();
        long gid = entry.getLongGroupId();
        if (uid < 0 || uid > HIGHEST_ID || gid < 0 || gid > HIGHEST_ID) {
            throw EntryPath.refused(
                    path.path(), "belongs to " + uid + ":" + gid + ", beyond 0 to 65535");
        }
        long modified = entry.getLastModifiedTime().toInstant().getEpochSecond();
        return new Attributes(
                (int) uid, (int) gid, entry.getMode(), Math.clamp(modified, 0, LATEST));
    }

    /// Behind the end mark there are zeros only: else other readers see other entries.
    private static void nothingFollows(InputStream archive) throws IOException {
        byte[] rest = new byte[8192];
        for (int n = archive.read(rest); n >= 0; n = archive.read(rest)) {
            for (int i = 0; i < n; i++) {
                if (rest[i] != 0) {
                    throw ImageException.image("an archive with data behind its end");
                }
            }
        }
    }

    private static ImageException blamed(EntryPath path, LinuxException e) {
        return switch (e.errno()) {
            case Errno.EEXIST ->
                    EntryPath.refused(path.path(), "comes twice, or as two different things");
            case Errno.ELOOP, Errno.ENOTDIR ->
                    EntryPath.refused(path.path(), "lies in what is not a directory");
            case Errno.EXDEV, Errno.ENOENT, Errno.ENAMETOOLONG, Errno.EINVAL, Errno.EMLINK ->
                    EntryPath.refused(path.path(), "cannot be made: " + Errno.name(e.errno()));
            default ->
                    new ImageException(Band.HOST, "cannot write the layer: " + e.getMessage(), e);
        };
    }
}
