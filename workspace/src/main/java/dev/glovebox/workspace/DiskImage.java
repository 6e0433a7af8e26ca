package dev.glovebox.workspace;

import dev.glovebox.linux.KernelThread;
import dev.glovebox.linux.Mounts;
import dev.glovebox.linux.Trees;
import dev.glovebox.linux.disk.Flock;
import dev.glovebox.linux.disk.LoopDevice;
import dev.glovebox.linux.disk.SparseFile;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// A disk in a file: an ext4 file system of fixed size in a sparse image.
///
/// Its bytes are made by `mkfs.ext4(8)` here and then only ever changed by the kernel; an agent
/// writes files in it and never sees the image. An image that somebody brings is never mounted: the
/// kernel's parsers of disks are no wall.
///
/// All images of one size are copies of one empty template, a few hundred KiB of data in a file of
/// holes. Freed space goes back to the host (`discard`). The tables of inodes are left as holes
/// (`noinit_itable`), which read as the zeros that they must be. After an error the file system is
/// read-only.
final class DiskImage {
    private static final String IMAGE = "image";
    private static final String MOUNT = "mount";
    private static final String OPTIONS = "discard,noinit_itable,errors=remount-ro";
    private static final long MEBI = 1L << 20;
    private static final long INODE_BYTES = 256;
    private static final long JOURNAL_MEBI = 16;
    private static final long MOST_HELD_BACK = 16 * MEBI;
    private static final int RESERVED_INODES = 11;
    private static final Duration MKFS_DEADLINE = Duration.ofMinutes(1);
    private static final Duration RELEASE_DEADLINE = Duration.ofSeconds(10);
    private static final long POLL_NANOS = 2_000_000;

    private final Path directory;

    /// @param directory that holds the image and where it is mounted
    DiskImage(Path directory) {
        this.directory = directory;
    }

    /// Where the disk is while it is mounted.
    Path mountPoint() {
        return directory.resolve(MOUNT);
    }

    /// Puts a copy of a template, unmounted, into an empty directory.
    static void copy(Path template, Path directory) throws IOException {
        SparseFile.copy(template, directory.resolve(IMAGE));
        Files.createDirectory(directory.resolve(MOUNT));
    }

    /// The template for these limits, made at first use.
    ///
    /// @param disks where templates are kept
    static Path template(Path disks, WorkspaceLimits limits) throws IOException {
        Path template = disks.resolve(".template-" + imageMebi(limits) + "m-" + limits.files());
        if (Files.exists(template, LinkOption.NOFOLLOW_LINKS)) {
            return template;
        }
        Path making = Files.createTempDirectory(disks, ".making-");
        try (Flock _ = Flock.tryTake(making).orElseThrow()) {
            new DiskImage(making).make(limits);
            Files.move(making.resolve(IMAGE), template, StandardCopyOption.ATOMIC_MOVE);
            Trees.remove(making);
        }
        return template;
    }

    /// Mounts the disk, waiting for up to ten seconds until the last sandbox that had it is gone.
    ///
    /// @throws IOException when it is not gone by then
    void mount() throws IOException {
        mount(false);
    }

    /// The same, so that nothing in it can be changed.
    void mountReadOnly() throws IOException {
        mount(true);
    }

    private void mount(boolean readOnly) throws IOException {
        try (LoopDevice device = attach()) {
            KernelThread.call(
                    "mount",
                    () -> {
                        device.mountExt4(mountPoint(), OPTIONS, readOnly);
                        return device;
                    });
        }
    }

    /// Unmounts it; the device goes with the last mount, which may be one in a sandbox.
    void unmount() {
        KernelThread.call(
                "unmount",
                () -> {
                    Mounts.detach(mountPoint());
                    return directory;
                });
    }

    /// Whether the disk is mounted in the host's mount table.
    boolean mounted() throws IOException {
        return !Files.getAttribute(mountPoint(), "unix:dev")
                .equals(Files.getAttribute(directory, "unix:dev"));
    }

    /// What the image takes of the host's disk, holes left out.
    long bytesOnHost() {
        return SparseFile.dataBytes(directory.resolve(IMAGE));
    }

    /// Formats the image and gives its root to the agent.
    private void make(WorkspaceLimits limits) throws IOException {
        Files.createDirectory(mountPoint());
        format(directory, limits);
        mount();
        try {
            Files.delete(mountPoint().resolve("lost+found"));
            Files.setAttribute(mountPoint(), "unix:uid", Workspaces.AGENT_ID);
            Files.setAttribute(mountPoint(), "unix:gid", Workspaces.AGENT_ID);
            Files.setPosixFilePermissions(
                    mountPoint(), PosixFilePermissions.fromString("rwxr-xr-x"));
        } finally {
            unmount();
        }
        attach().close(); // has to wait until the last write is in the image
    }

    private LoopDevice attach() throws IOException {
        Path image = directory.resolve(IMAGE);
        long end = System.nanoTime() + RELEASE_DEADLINE.toNanos();
        while (true) {
            Optional<LoopDevice> device =
                    KernelThread.call("attach", () -> LoopDevice.attach(image));
            if (device.isPresent()) {
                return device.get();
            }
            if (System.nanoTime() > end) {
                throw new IOException("a sandbox still uses " + image);
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    /// The image is larger than the limit by what the file system needs for itself, and by the 2 %,
    /// at most 4,096 blocks, that ext4 holds back for its own (`s_resv_clusters`).
    private static long imageMebi(WorkspaceLimits limits) {
        long inodes = limits.files() + RESERVED_INODES;
        long own = inodes * INODE_BYTES + JOURNAL_MEBI * MEBI + limits.bytes() / 128;
        long heldBack = Math.min(MOST_HELD_BACK, (limits.bytes() + own) / 50);
        return (limits.bytes() + own + heldBack + MEBI - 1) / MEBI;
    }

    private static void format(Path directory, WorkspaceLimits limits) throws IOException {
        Path log = directory.resolve("mkfs.log");
        Process mkfs =
                new ProcessBuilder(
                                "mkfs.ext4",
                                "-q",
                                "-F",
                                "-b",
                                "4096",
                                "-I",
                                Long.toString(INODE_BYTES),
                                "-m",
                                "0",
                                "-N",
                                Long.toString(limits.files() + RESERVED_INODES),
                                "-O",
                                "^resize_inode,sparse_super2",
                                "-E",
                                "lazy_itable_init=1,lazy_journal_init=1",
                                "-J",
                                "size=" + JOURNAL_MEBI,
                                directory.resolve(IMAGE).toString(),
                                imageMebi(limits) + "m")
                        .redirectInput(new File("/dev/null"))
                        .redirectErrorStream(true)
                        .redirectOutput(log.toFile())
                        .start();
        try {
            if (!mkfs.waitFor(MKFS_DEADLINE.toSeconds(), TimeUnit.SECONDS)
                    || mkfs.exitValue() != 0) {
                throw new IOException("mkfs.ext4 failed: " + Files.readString(log).strip());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } finally {
            mkfs.destroyForcibly();
        }
        Files.delete(log);
    }
}
