package dev.glovebox.server;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The directory of one control plane: its store, its credentials, and the lock that keeps a second
/// control plane out.
///
/// What sessions say and do is somebody's private code, so the directory is made with mode 0700 and
/// the store with mode 0600, whatever the umask; the files that SQLite makes beside the store take
/// its mode.
final class DataDirectory implements AutoCloseable {
    private static final FileAttribute<?> OWNER_ONLY =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
    private static final String FILE_MODE = "rw-------";

    private final Path path;
    private final FileChannel lockFile;

    private DataDirectory(Path path, FileChannel lockFile) {
        this.path = path;
        this.lockFile = lockFile;
    }

    /// Takes the directory, making it where it is missing.
    ///
    /// @throws ServerException when it cannot be used or another control plane has it
    static DataDirectory take(Path path) {
        try {
            Files.createDirectories(path, OWNER_ONLY);
            DataDirectory directory = new DataDirectory(path, locked(path.resolve("control.lock")));
            Path store = directory.store();
            if (!Files.exists(store)) {
                Files.createFile(store);
            }
            Files.setPosixFilePermissions(store, PosixFilePermissions.fromString(FILE_MODE));
            return directory;
        } catch (FileAlreadyExistsException e) {
            throw new ServerException(e.getFile() + " is not a directory", e);
        } catch (IOException e) {
            throw new ServerException("cannot use " + path + ": " + e.getMessage(), e);
        }
    }

    Path path() {
        return path;
    }

    /// The SQLite file.
    Path store() {
        return path.resolve("control.db");
    }

    @Override
    public void close() {
        try {
            lockFile.close();
        } catch (IOException e) {
            throw new ServerException("cannot release " + path, e);
        }
    }

    private static FileChannel locked(Path file) throws IOException {
        FileChannel channel =
                FileChannel.open(
                        file,
                        Set.of(StandardOpenOption.CREATE, StandardOpenOption.WRITE),
                        PosixFilePermissions.asFileAttribute(
                                PosixFilePermissions.fromString(FILE_MODE)));
        @Nullable FileLock lock = null;
        try {
            lock = channel.tryLock();
        } catch (OverlappingFileLockException _) {
            // this process has it: the same answer as when another has
        }
        if (lock == null) {
            channel.close();
            throw new IOException("another control plane is using it");
        }
        return channel;
    }
}
