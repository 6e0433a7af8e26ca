package dev.glovebox.egress.lookup;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// A file of the operator's that is read again when it has changed. Thread-safe.
final class WatchedFile<T> {
    private static final int MAX_BYTES = 1024 * 1024;

    private final Path path;
    private final Function<byte[], T> reading;
    private @Nullable Read<T> last;

    private record Read<T>(Object stamp, T content) {}

    /// @param reading makes something of the bytes, none of a file that is not there
    WatchedFile(Path path, Function<byte[], T> reading) {
        this.path = path;
        this.reading = reading;
    }

    /// What the file says now.
    ///
    /// @throws IOException if it is longer than 1 MiB or cannot be read
    synchronized T content() throws IOException {
        Object stamp = stamp();
        Read<T> before = last;
        if (before != null && before.stamp().equals(stamp)) {
            return before.content();
        }
        T content = reading.apply(bytes());
        last = new Read<>(stamp, content);
        return content;
    }

    private Object stamp() {
        try {
            BasicFileAttributes now = Files.readAttributes(path, BasicFileAttributes.class);
            return List.of(now.lastModifiedTime(), now.size(), String.valueOf(now.fileKey()));
        } catch (IOException e) {
            return "none";
        }
    }

    private byte[] bytes() throws IOException {
        if (!Files.exists(path)) {
            return new byte[0];
        }
        try (InputStream in = Files.newInputStream(path)) {
            byte[] bytes = in.readNBytes(MAX_BYTES + 1);
            if (bytes.length > MAX_BYTES) {
                throw new IOException(path + " is longer than 1 MiB");
            }
            return bytes;
        }
    }

    @Override
    public String toString() {
        return path.toString();
    }
}
