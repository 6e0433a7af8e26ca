package dev.glovebox.linux.disk;

import dev.glovebox.linux.KernelThread;
import dev.glovebox.linux.LinuxException;
import dev.glovebox.linux.mount.Mounts;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
/// Freed space goes back to the host (`discard`). The tables of inodes are left as holes
/// (`noinit_itable`), which read as the zeros that they must be. After an error the file system is
/// read-only.
public final class DiskImage {
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

    /// What a disk is made for.
    ///
    /// @param bytes of file content; directories and lists of extents count
    /// @param files most files, directories and links together
    /// @param owner user and group of its root directory
    public record Plan(long bytes, long files, int owner) {
        /// Size of the image. It is larger than the limit by what the file system needs for itself,
        /// and by the 2 %, at most 4,096 blocks, that ext4 holds back for its own
        /// (`s_resv_clusters`).
        public long imageMebi() {
            long inodes = files + RESERVED_INODES;
            long own = inodes * INODE_BYTES + JOURNAL_MEBI * MEBI + bytes / 128;
            long heldBack = Math.min(MOST_HELD_BACK, (bytes + own) / 50);
            return (bytes + own + heldBack + MEBI - 1) / MEBI;
        }
    }

    /// @param directory that holds the image and where it is mounted
    public DiskImage(Path directory) {
        this.directory = directory;
    }

    /// Makes a disk, unmounted, in an empty directory.
    ///
    /// @throws IOException when it cannot be formatted
    /// @throws LinuxException `open` `ENOENT` on [LoopDevice#CONTROL] when there are no loop
    ///   devices here
    public static DiskImage make(Path directory, Plan plan) throws IOException {
        DiskImage disk = new DiskImage(directory);
        Files.createDirectory(disk.mountPoint());
        disk.format(plan);
        disk.mount();
        try {
            Path root = disk.mountPoint();
            Files.delete(root.resolve("lost+found"));
            Files.setAttribute(root, "unix:uid", plan.owner());
            Files.setAttribute(root, "unix:gid", plan.owner());
            Files.setPosixFilePermissions(root, PosixFilePermissions.fromString("rwxr-xr-x"));
        } finally {
            disk.unmount();
        }
        disk.attach().close(); // has to wait until the last write is in the image
        return disk;
    }

    /// Puts a copy of an image that is not mounted into an empty directory.
    public static void copy(Path image, Path directory) throws IOException {
        SparseFile.copy(image, directory.resolve(IMAGE));
        Files.createDirectory(directory.resolve(MOUNT));
    }

    /// The file.
    public Path image() {
        return directory.resolve(IMAGE);
    }

    /// Where the disk is while it is mounted.
    public Path mountPoint() {
        return directory.resolve(MOUNT);
    }

    /// Mounts the disk, waiting for up to ten seconds until the last sandbox that had it is gone.
    ///
    /// @throws IOException when it is not gone by then
    public void mount() throws IOException {
        mount(false);
    }

    /// The same, so that nothing in it can be changed.
    public void mountReadOnly() throws IOException {
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
    public void unmount() {
        KernelThread.call(
                "unmount",
                () -> {
                    Mounts.detach(mountPoint());
                    return directory;
                });
    }

    /// Whether the disk is mounted in the host's mount table.
    public boolean mounted() throws IOException {
        return !Files.getAttribute(mountPoint(), "unix:dev")
                .equals(Files.getAttribute(directory, "unix:dev"));
    }

    /// Unmounts what somebody who was killed left mounted.
    public void unmountLeftover() throws IOException {
        while (mounted()) {
            unmount();
        }
    }

    /// What the image takes of the host's disk, holes left out.
    public long bytesOnHost() {
        return SparseFile.dataBytes(image());
    }

    private LoopDevice attach() throws IOException {
        Path image = image();
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

    private void format(Plan plan) throws IOException {
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
                                Long.toString(plan.files() + RESERVED_INODES),
                                "-O",
                                "^resize_inode,sparse_super2",
                                "-E",
                                "lazy_itable_init=1,lazy_journal_init=1",
                                "-J",
                                "size=" + JOURNAL_MEBI,
                                image().toString(),
                                plan.imageMebi() + "m")
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
