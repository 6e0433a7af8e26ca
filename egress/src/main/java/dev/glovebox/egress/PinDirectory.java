package dev.glovebox.egress;

import dev.glovebox.egress.tls.TrustFiles;
import dev.glovebox.linux.LinuxException;
import dev.glovebox.linux.net.NetworkNamespace;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

/// The directory of one worker's pinned namespaces and doors' certificates. Held by a lock, so that
/// who finds pins in it knows their owner is dead.
final class PinDirectory implements AutoCloseable {
    private static final String LOCK = "lock";

    private final Path directory;
    private final FileChannel lock;

    private PinDirectory(Path directory, FileChannel lock) {
        this.directory = directory;
        this.lock = lock;
    }

    static PinDirectory open(Path directory) {
        try {
            Files.createDirectories(directory);
            Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
            FileChannel lock =
                    FileChannel.open(
                            directory.resolve(LOCK),
                            StandardOpenOption.CREATE,
                            StandardOpenOption.WRITE);
            PinDirectory pins = new PinDirectory(directory, lock);
            try {
                pins.hold();
                pins.removeLeftovers();
                return pins;
            } catch (IOException | RuntimeException e) {
                lock.close();
                throw e;
            }
        } catch (IOException | LinuxException e) {
            throw new EgressException("egress directory " + directory + " cannot be used", e);
        }
    }

    private void hold() throws IOException {
        try {
            FileLock held = lock.tryLock();
            if (held != null) {
                return;
            }
        } catch (OverlappingFileLockException e) {
            throw inUse();
        }
        throw inUse();
    }

    private EgressException inUse() {
        return new EgressException("egress directory " + directory + " is in use by a worker");
    }

    private void removeLeftovers() throws IOException {
        List<Path> left;
        try (var files = Files.list(directory)) {
            left = files.filter(file -> !file.endsWith(LOCK)).toList();
        }
        for (Path file : left) {
            if (Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS)) {
                TrustFiles.remove(file);
            } else {
                NetworkNamespace.unpin(file);
            }
        }
    }

    /// Where a door keeps what it shows to its sandbox.
    Path trust(String name) {
        return directory.resolve(name + ".trust");
    }

    Path pin(String name) {
        return directory.resolve(name + ".net");
    }

    @Override
    public void close() {
        try {
            lock.close();
        } catch (IOException e) {
            throw new EgressException("egress directory " + directory + " cannot be released", e);
        }
    }
}
