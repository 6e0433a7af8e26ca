package dev.glovebox.sandbox.layer;

import dev.glovebox.linux.LinuxException;
import dev.glovebox.linux.Trees;
import dev.glovebox.linux.disk.DiskImage;
import dev.glovebox.linux.disk.LoopDevice;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/// Where a command writes the layer that it prepares: a disk of its own with an end of bytes and
/// files, from which the layer is copied once the command has ended well. So a command that writes
/// without end fills its disk and not the host's.
///
/// It is mounted where all of this host's processes see it, since a sandbox takes it from there;
/// one that a killed process left is unmounted by the next that opens the store
/// ([#removeLeftover]). On a host without loop devices it is a directory without an end of its own.
public final class LayerDisk implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(LayerDisk.class.getName());
    private static final String DIRECTORY = "disk";
    private static final Duration COPY_DEADLINE = Duration.ofMinutes(10);
    private static final long FULL_BYTES = 64 << 10;
    private static final int LAST_CHARACTERS = 600;

    private final Path directory;
    private final Path upper;
    private final long bytes;

    private LayerDisk(Path directory, Path upper, long bytes) {
        this.directory = directory;
        this.upper = upper;
        this.bytes = bytes;
    }

    /// Makes one.
    ///
    /// @param place a directory of the store in which a layer is being made
    /// @param bytes most of it, and of what is kept of it
    /// @param entries most files, directories and links
    public static LayerDisk make(Path place, long bytes, long entries) throws IOException {
        Path directory = Files.createDirectory(place.resolve(DIRECTORY));
        if (!Files.exists(LoopDevice.CONTROL)) {
            LOG.log(
                    Level.WARNING,
                    "what a template prepares has no limit on this host: it has no loop devices");
            return new LayerDisk(directory, directory.resolve("upper"), 0);
        }
        DiskImage disk = DiskImage.make(directory, new DiskImage.Plan(bytes, entries, 0));
        disk.mount();
        return new LayerDisk(directory, disk.mountPoint().resolve("upper"), bytes);
    }

    /// Where the layer is to be written; not there yet.
    public Path upper() {
        return upper;
    }

    /// Why it may be that nothing more could be written, to be added to what the command says;
    /// empty if there is room left.
    public String fullness() {
        return bytes == 0 || hasRoom()
                ? ""
                : String.format(
                        Locale.ROOT,
                        " (its disk is full: at most %d MiB, and a limited number of files)",
                        bytes >> 20);
    }

    private boolean hasRoom() {
        Path parent = upper.resolveSibling("");
        try {
            Files.delete(Files.createTempFile(parent, "room", ""));
            return Files.getFileStore(parent).getUsableSpace() > FULL_BYTES;
        } catch (IOException e) {
            return false;
        }
    }

    /// Copies what was written, with owners, times and extended attributes, by which overlayfs
    /// knows what hides a directory.
    ///
    /// @param tree where to; not there yet
    /// @throws IOException if something could not be copied
    public void keep(Path tree) throws IOException {
        Path log = directory.resolve("copy.log");
        Process cp =
                new ProcessBuilder(
                                "cp",
                                "-dR",
                                "--preserve=mode,ownership,timestamps,links,xattr",
                                "--sparse=auto",
                                "--one-file-system",
                                "--",
                                upper.toString(),
                                tree.toString())
                        .redirectInput(new File("/dev/null"))
                        .redirectErrorStream(true)
                        .redirectOutput(log.toFile())
                        .start();
        try {
            if (!cp.waitFor(COPY_DEADLINE.toSeconds(), TimeUnit.SECONDS)) {
                throw new IOException("a layer was not copied within " + COPY_DEADLINE);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } finally {
            cp.destroyForcibly();
        }
        if (cp.exitValue() != 0) {
            String said = Files.readString(log).strip();
            throw new IOException(
                    "a layer could not be copied: "
                            + said.substring(0, Math.min(LAST_CHARACTERS, said.length())));
        }
    }

    /// Takes it away with all that is on it, also for a thread that was interrupted.
    @Override
    public void close() {
        boolean interrupted = Thread.interrupted();
        try {
            removeLeftover(directory.resolveSibling(""));
        } catch (IOException | UncheckedIOException | LinuxException e) {
            LOG.log(Level.ERROR, "cannot remove " + directory, e);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /// Takes the disk away that is in a directory of the store, if there is one.
    static void removeLeftover(Path place) throws IOException {
        Path directory = place.resolve(DIRECTORY);
        if (!Files.isDirectory(directory)) {
            return;
        }
        DiskImage disk = new DiskImage(directory);
        if (Files.isDirectory(disk.mountPoint())) {
            disk.unmountLeftover();
        }
        Trees.remove(directory);
    }
}
