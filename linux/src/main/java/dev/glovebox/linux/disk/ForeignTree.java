package dev.glovebox.linux.disk;

import dev.glovebox.linux.Errno;
import dev.glovebox.linux.Libc;
import dev.glovebox.linux.LinuxException;
import dev.glovebox.linux.Openat2;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// A directory of the host in which a stranger writes, perhaps right now, read so that nothing
/// outside of it is opened and nothing in it is waited for.
///
/// A path is opened by [Openat2] with `O_PATH`, which touches no device and no FIFO, over no link
/// and on this one mount. What was found is then looked at, and read, through that descriptor: it
/// cannot become another thing in between.
///
/// Calls block on the disk: not for virtual threads. For one thread.
public final class ForeignTree implements AutoCloseable {
    private static final int AT_FDCWD = -100;
    private static final int S_IFMT = 0xf000;
    private static final int S_IFREG = 0x8000;
    private static final int S_IFDIR = 0x4000;

    private final int root;

    private ForeignTree(int root) {
        this.root = root;
    }

    /// Opens a directory.
    ///
    /// @throws LinuxException when it is not there
    public static ForeignTree open(Path directory) {
        return new ForeignTree(
                open(
                        AT_FDCWD,
                        directory.toString(),
                        Openat2.O_PATH | Openat2.O_DIRECTORY | Openat2.O_CLOEXEC,
                        Openat2.ANYWHERE));
    }

    /// What is at a path.
    ///
    /// @param path relative; empty for the tree's own directory
    /// @throws LinuxException `ENOENT`; `ELOOP` for a link on the way, `EXDEV` for a way out;
    ///   `ENAMETOOLONG` for more than 4,095 bytes
    public Found find(String path) throws IOException {
        int descriptor =
                open(
                        root,
                        path.isEmpty() ? "." : path,
                        Openat2.O_PATH | Openat2.O_NOFOLLOW | Openat2.O_CLOEXEC,
                        Openat2.CONFINED);
        try {
            return new Found(
                    descriptor,
                    Files.readAttributes(own(descriptor), "unix:mode,size,lastModifiedTime"));
        } catch (IOException | RuntimeException e) {
            Flock.close(descriptor);
            throw e;
        }
    }

    @Override
    public void close() {
        Flock.close(root);
    }

    /// One thing of the tree, held open.
    public static final class Found implements AutoCloseable {
        private final int descriptor;
        private final Map<String, Object> facts;

        private Found(int descriptor, Map<String, Object> facts) {
            this.descriptor = descriptor;
            this.facts = facts;
        }

        /// Whether it is a regular file.
        public boolean isRegularFile() {
            return (whole("mode") & S_IFMT) == S_IFREG;
        }

        /// Whether it is a directory; a link to one is none.
        public boolean isDirectory() {
            return (whole("mode") & S_IFMT) == S_IFDIR;
        }

        /// Permission bits, without set-user-ID, set-group-ID and sticky.
        public int permissions() {
            return whole("mode") & 0777;
        }

        /// Bytes that a file said it has when it was found; holes count.
        public long size() {
            return facts.get("size") instanceof Long size ? size : 0;
        }

        /// Seconds since 1970.
        public long modified() {
            return facts.get("lastModifiedTime") instanceof FileTime time
                    ? time.toMillis() / 1000
                    : 0;
        }

        /// Content of a regular file, for the caller to close.
        ///
        /// @throws IllegalStateException if it is none: opening another thing could wait, or act
        public InputStream content() throws IOException {
            if (!isRegularFile()) {
                throw new IllegalStateException("no regular file");
            }
            return Files.newInputStream(own(descriptor));
        }

        /// Names in a directory.
        ///
        /// @param most of them
        /// @throws IOException when there are more
        public List<String> names(int most) throws IOException {
            List<String> names = new ArrayList<>();
            try (DirectoryStream<Path> entries = Files.newDirectoryStream(own(descriptor))) {
                for (Path entry : entries) {
                    if (names.size() == most) {
                        throw new IOException("a directory has more than " + most + " names");
                    }
                    names.add(entry.getFileName().toString());
                }
            }
            return names;
        }

        @Override
        public void close() {
            Flock.close(descriptor);
        }

        private int whole(String name) {
            return facts.get(name) instanceof Integer number ? number : 0;
        }
    }

    private static Path own(int descriptor) {
        return Path.of("/proc/self/fd/" + descriptor);
    }

    private static int open(int at, String path, int flags, long resolve) {
        if (path.indexOf('\0') >= 0) {
            throw new LinuxException("openat2", Errno.EINVAL, path.replace('\0', '?'));
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment capture = Libc.errnoCapture(arena);
            MemorySegment how = Openat2.how(arena, flags, 0, resolve);
            return Libc.check(
                    Openat2.open(capture, at, arena.allocateFrom(path), how),
                    capture,
                    "openat2",
                    path);
        } catch (Throwable e) {
            throw Libc.rethrown(e);
        }
    }
}
