package dev.glovebox.linux;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/// A directory of the host into which the files of a stranger are written, so that nothing outside
/// of it can be touched whatever names, links and order the stranger chose.
///
/// A path is resolved in two steps. Its parent is opened by `openat2(2)` (Linux 5.6) relative to
/// the open directory with `RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
/// RESOLVE_NO_XDEV`: a symbolic link on the way is `ELOOP`, a way out is `EXDEV`. The last name is
/// then used relative to that parent by a call that never follows it and, for all that makes
/// something, fails with `EEXIST` where something is. So nothing made here is ever changed again
/// but by [#attributes].
///
/// Owners are written as they are to be on disk. Calls block on the disk: not for virtual threads.
/// For one thread.
public final class ConfinedTree implements AutoCloseable {
    private static final long RESOLVE = Openat2.CONFINED;
    private static final int O_WRONLY = 1;
    private static final int O_CREAT = 0x40;
    private static final int O_EXCL = 0x80;
    private static final int O_DIRECTORY = Openat2.O_DIRECTORY;
    private static final int O_CLOEXEC = Openat2.O_CLOEXEC;
    private static final int O_PATH = Openat2.O_PATH;
    private static final int AT_FDCWD = -100;
    private static final int AT_SYMLINK_NOFOLLOW = 0x100;
    private static final int AT_EMPTY_PATH = 0x1000;
    private static final int S_IFMT = 0xf000;
    private static final int S_IFREG = 0x8000;
    private static final int S_IFDIR = 0x4000;
    private static final int S_IFCHR = 0x2000;
    private static final int STATX_TYPE = 1;
    private static final int STATX_SIZE = 256;
    private static final int STATX_MODE_OFFSET = 28;
    private static final int BUFFER = 128 * 1024;
    private static final int LONGEST_NAME = 255;
    private static final String OPAQUE = "trusted.overlay.opaque";

    private static final MethodHandle MKDIRAT = handle("mkdirat", "ipi");
    private static final MethodHandle SYMLINKAT = handle("symlinkat", "pip");
    private static final MethodHandle LINKAT = handle("linkat", "ipipi");
    private static final MethodHandle MKNODAT = handle("mknodat", "ipil");
    private static final MethodHandle FCHOWNAT = handle("fchownat", "ipiii");
    private static final MethodHandle FCHMOD = handle("fchmod", "ii");
    private static final MethodHandle UTIMENSAT = handle("utimensat", "ippi");
    private static final MethodHandle FUTIMENS = handle("futimens", "ip");
    private static final MethodHandle FSETXATTR = handle("fsetxattr", "ippli");
    private static final MethodHandle STATX = handle("statx", "ipiip");
    private static final MethodHandle SYNCFS = handle("syncfs", "i");
    private static final MethodHandle WRITE =
            Libc.handle(
                    "write",
                    FunctionDescriptor.of(
                            ValueLayout.JAVA_LONG,
                            ValueLayout.JAVA_INT,
                            ValueLayout.ADDRESS,
                            ValueLayout.JAVA_LONG));

    private final Path directory;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment capture = Libc.errnoCapture(arena);
    private final MemorySegment buffer = arena.allocate(BUFFER);
    private final int root;

    /// The parent that was opened last, since archives list a directory's files one after another.
    private String parentPath = "";

    private int parent;

    /// What a file is given besides its content.
    ///
    /// @param uid owner on disk
    /// @param gid group on disk
    /// @param mode permission bits; set-user-ID and set-group-ID are left out
    /// @param modified seconds since 1970
    public record Attributes(int uid, int gid, int mode, long modified) {}

    private ConfinedTree(Path directory) {
        this.directory = directory;
        int opened = -1;
        try {
            opened =
                    open(
                            AT_FDCWD,
                            directory.toString(),
                            O_DIRECTORY | O_CLOEXEC,
                            0,
                            Openat2.ANYWHERE);
        } finally {
            if (opened < 0) {
                arena.close();
            }
        }
        this.root = opened;
        this.parent = opened;
    }

    /// Opens a directory of ours, which is empty or was filled by this class.
    ///
    /// @throws LinuxException when it is not there, or the kernel is older than 5.6
    public static ConfinedTree open(Path directory) {
        return new ConfinedTree(directory);
    }

    /// Makes a directory.
    ///
    /// @param path relative, names separated by single `/`, as everywhere here
    /// @throws LinuxException `EEXIST` if something is there, `ENOENT`, `ENOTDIR` or `ELOOP` if the
    ///   parent is not a directory that is reached without a link
    public void directory(String path, Attributes attributes) {
        try (Arena local = Arena.ofConfined()) {
            int in = parentOf(path);
            MemorySegment name = nameOf(local, path);
            // SAFETY: the name lives until after the call, as in all calls of this class; the
            // descriptor is open.
            check((int) MKDIRAT.invokeExact(capture, in, name, 0700), "mkdirat", path);
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
        attributes(path, attributes);
    }

    /// Gives an existing directory other attributes.
    ///
    /// @param path of a directory; empty for the tree's own
    public void attributes(String path, Attributes attributes) {
        int opened = open(root, path.isEmpty() ? "." : path, O_DIRECTORY | O_CLOEXEC, 0, RESOLVE);
        try {
            give(opened, path, attributes);
        } finally {
            close(opened);
        }
    }

    /// Makes a regular file.
    ///
    /// @param content read to its end, but not closed
    /// @throws IOException as the content does
    /// @throws LinuxException `ENOSPC` when the disk is full, and as [#directory]
    public void file(String path, Attributes attributes, InputStream content) throws IOException {
        int opened;
        try (Arena local = Arena.ofConfined()) {
            int in = parentOf(path);
            String name = nameOf(local, path).getString(0);
            opened = open(in, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600, RESOLVE);
        }
        try {
            byte[] bytes = new byte[BUFFER];
            for (int n = content.read(bytes); n >= 0; n = content.read(bytes)) {
                write(opened, path, bytes, n);
            }
            give(opened, path, attributes);
        } finally {
            close(opened);
        }
    }

    /// Makes a symbolic link; its target is text to this class.
    public void symbolicLink(String path, String target, Attributes attributes) {
        try (Arena local = Arena.ofConfined()) {
            int in = parentOf(path);
            MemorySegment name = nameOf(local, path);
            MemorySegment text = local.allocateFrom(withoutNul(target));
            check((int) SYMLINKAT.invokeExact(capture, text, in, name), "symlinkat", path);
            check(
                    (int)
                            FCHOWNAT.invokeExact(
                                    capture,
                                    in,
                                    name,
                                    attributes.uid(),
                                    attributes.gid(),
                                    AT_SYMLINK_NOFOLLOW),
                    "fchownat",
                    path);
            MemorySegment times = times(local, attributes);
            check(
                    (int) UTIMENSAT.invokeExact(capture, in, name, times, AT_SYMLINK_NOFOLLOW),
                    "utimensat",
                    path);
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }

    /// Makes a second name of a file of this tree; a symbolic link there is not followed.
    public void hardLink(String path, String existing) {
        int from = parentOf(existing);
        try (Arena local = Arena.ofConfined()) {
            MemorySegment old = nameOf(local, existing);
            int in = duplicateParentOf(path);
            try {
                MemorySegment name = nameOf(local, path);
                check((int) LINKAT.invokeExact(capture, from, old, in, name, 0), "linkat", path);
            } finally {
                close(in);
            }
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }

    /// Whether there is a regular file.
    ///
    /// @throws LinuxException if its parent cannot be reached
    public boolean isRegularFile(String path) {
        return kind(path) == S_IFREG;
    }

    /// Whether there is a directory.
    public boolean isDirectory(String path) {
        return kind(path) == S_IFDIR;
    }

    /// Makes an overlay whiteout: where this tree is a layer, the path is not there in the result.
    /// A character device 0:0, which the kernel lets nobody open.
    public void whiteout(String path) {
        try (Arena local = Arena.ofConfined()) {
            int in = parentOf(path);
            MemorySegment name = nameOf(local, path);
            check((int) MKNODAT.invokeExact(capture, in, name, S_IFCHR, 0L), "mknodat", path);
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }

    /// Makes a directory opaque: where this tree is a layer, nothing that lower layers have in that
    /// directory is there in the result. By `trusted.overlay.opaque`, which [Overlay] reads and
    /// nobody in a user namespace can set.
    ///
    /// @param path of a directory; empty for the tree's own
    public void opaque(String path) {
        int opened = open(root, path.isEmpty() ? "." : path, O_DIRECTORY | O_CLOEXEC, 0, RESOLVE);
        try (Arena local = Arena.ofConfined()) {
            MemorySegment key = local.allocateFrom(OPAQUE);
            MemorySegment value = local.allocateFrom("y");
            check(
                    (int) FSETXATTR.invokeExact(capture, opened, key, value, 1L, 0),
                    "fsetxattr",
                    path);
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        } finally {
            close(opened);
        }
    }

    /// Writes the whole file system of the tree to the disk, `syncfs(2)`.
    public void sync() {
        try {
            check((int) SYNCFS.invokeExact(capture, root), "syncfs", "");
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }

    @Override
    public void close() {
        if (parent != root) {
            close(parent);
        }
        close(root);
        arena.close();
    }

    private int kind(String path) {
        try (Arena local = Arena.ofConfined()) {
            int in = parentOf(path);
            MemorySegment name = nameOf(local, path);
            MemorySegment facts = local.allocate(STATX_SIZE, 8);
            check(
                    (int)
                            STATX.invokeExact(
                                    capture, in, name, AT_SYMLINK_NOFOLLOW, STATX_TYPE, facts),
                    "statx",
                    path);
            return facts.get(ValueLayout.JAVA_SHORT, STATX_MODE_OFFSET) & S_IFMT;
        } catch (LinuxException e) {
            if (e.errno() == Errno.ENOENT) {
                return 0;
            }
            throw e;
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }

    private void give(int file, String path, Attributes attributes) {
        try (Arena local = Arena.ofConfined()) {
            MemorySegment empty = local.allocateFrom("");
            // Owner first: a change of owner takes bits from the mode.
            check(
                    (int)
                            FCHOWNAT.invokeExact(
                                    capture,
                                    file,
                                    empty,
                                    attributes.uid(),
                                    attributes.gid(),
                                    AT_EMPTY_PATH),
                    "fchownat",
                    path);
            check(
                    (int) FCHMOD.invokeExact(capture, file, attributes.mode() & 01777),
                    "fchmod",
                    path);
            MemorySegment times = times(local, attributes);
            check((int) FUTIMENS.invokeExact(capture, file, times), "futimens", path);
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }

    private static MemorySegment times(Arena local, Attributes attributes) {
        MemorySegment times = local.allocate(32, 8); // two struct timespec
        times.set(ValueLayout.JAVA_LONG, 0, attributes.modified());
        times.set(ValueLayout.JAVA_LONG, 16, attributes.modified());
        return times;
    }

    private void write(int file, String path, byte[] bytes, int length) {
        MemorySegment.copy(bytes, 0, buffer, ValueLayout.JAVA_BYTE, 0, length);
        int done = 0;
        while (done < length) {
            try {
                MemorySegment rest = buffer.asSlice(done);
                // SAFETY: the length is that of what is left in the buffer.
                long n = (long) WRITE.invokeExact(capture, file, rest, (long) length - done);
                done += check((int) n, "write", path);
            } catch (Throwable e) {
                throw Libc.rethrown(e);
            }
        }
    }

    private int parentOf(String path) {
        String wanted = parentPathOf(path);
        if (!wanted.equals(parentPath)) {
            int opened = wanted.isEmpty() ? root : openParent(wanted);
            if (parent != root) {
                close(parent);
            }
            parent = opened;
            parentPath = wanted;
        }
        return parent;
    }

    /// A descriptor for the caller to close, beside the one that is kept.
    private int duplicateParentOf(String path) {
        String wanted = parentPathOf(path);
        return openParent(wanted.isEmpty() ? "." : wanted);
    }

    private int openParent(String path) {
        return open(root, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0, RESOLVE);
    }

    private static String parentPathOf(String path) {
        return path.substring(0, Math.max(0, path.lastIndexOf('/')));
    }

    private static MemorySegment nameOf(Arena local, String path) {
        String name = withoutNul(path.substring(path.lastIndexOf('/') + 1));
        MemorySegment segment = local.allocateFrom(name);
        if (segment.byteSize() > LONGEST_NAME + 1) {
            throw new LinuxException("name", Errno.ENAMETOOLONG, path);
        }
        return segment;
    }

    private static String withoutNul(String text) {
        if (text.indexOf('\0') >= 0) {
            throw new LinuxException("name", Errno.EINVAL, text.replace('\0', '?'));
        }
        return text;
    }

    private int open(int at, String path, int flags, int mode, long resolve) {
        try (Arena local = Arena.ofConfined()) {
            MemorySegment name = local.allocateFrom(withoutNul(path));
            MemorySegment how = Openat2.how(local, flags, mode, resolve);
            int opened = Openat2.open(capture, at, name, how);
            return check(opened, "openat2", path);
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }

    private void close(int descriptor) {
        try {
            // SAFETY: the descriptor is ours and is not used again.
            check((int) Libc.CLOSE.invokeExact(capture, descriptor), "close", "");
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }

    private int check(int answer, String call, String path) {
        return Libc.check(answer, capture, call, path.isEmpty() ? directory : path);
    }

    /// A function that answers an `int`; `i`, `l` and `p` are its arguments.
    private static MethodHandle handle(String name, String arguments) {
        MemoryLayout[] layouts =
                arguments
                        .chars()
                        .mapToObj(letter ->
                                switch (letter) {
                                    case 'i' -> ValueLayout.JAVA_INT;
                                    case 'l' -> ValueLayout.JAVA_LONG;
                                    default -> ValueLayout.ADDRESS;
                                })
                        .toArray(MemoryLayout[]::new);
        return Libc.handle(name, FunctionDescriptor.of(ValueLayout.JAVA_INT, layouts));
    }
}
