package dev.glovebox.linux.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.linux.LinuxException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Needs root and loop devices.
final class LoopDeviceIT {
    @TempDir Path directory;

    @Test
    void aFileIsOneDeviceAtATimeAndNoneAfterIt() throws IOException {
        Path file = file("image", 1 << 20);
        try (LoopDevice device = LoopDevice.attach(file).orElseThrow()) {
            assertThat(backing(device)).hasContent(file.toString());
            assertThat(LoopDevice.attach(file)).isEmpty();
            try (LoopDevice other = LoopDevice.attach(file("other", 1 << 20)).orElseThrow()) {
                assertThat(other.path()).isNotEqualTo(device.path());
            }
        }
        LoopDevice.attach(file).orElseThrow().close();
    }

    @Test
    void aSymbolicLinkIsNotAttached() throws IOException {
        Path link = directory.resolve("link");
        Files.createSymbolicLink(link, file("image", 1 << 20));
        assertThatThrownBy(() -> LoopDevice.attach(link)).hasMessageContaining("ELOOP");
    }

    @Test
    void aFileWithoutFileSystemIsNotMounted() throws IOException {
        Path target = Files.createDirectory(directory.resolve("mount"));
        try (LoopDevice device = LoopDevice.attach(file("image", 1 << 20)).orElseThrow()) {
            assertThatThrownBy(() -> device.mountExt4(target, "", false))
                    .isInstanceOf(LinuxException.class)
                    .hasMessageContaining("mount " + target);
        }
    }

    @Test
    void aLockIsHeldOnceAndFreeAfterIt() {
        try (Flock _ = Flock.tryTake(directory).orElseThrow()) {
            assertThat(Flock.tryTake(directory)).isEmpty();
        }
        Flock.tryTake(directory).orElseThrow().close();
        assertThatThrownBy(() -> Flock.tryTake(directory.resolve("none")))
                .hasMessageContaining("ENOENT");
    }

    @Test
    void aCopyHasTheDataAndTheHoles() throws IOException {
        Path source = file("source", 64 << 20);
        try (RandomAccessFile data = new RandomAccessFile(source.toFile(), "rw")) {
            data.seek(10 << 20);
            data.write(new byte[] {1, 2, 3});
            data.seek((40 << 20) + 5);
            data.write(4);
        }
        Path copy = directory.resolve("copy");

        SparseFile.copy(source, copy);

        assertThat(Files.mismatch(source, copy)).isEqualTo(-1);
        assertThat(data(copy)).isLessThan(64 << 10);
        assertThat(Files.getPosixFilePermissions(copy)).hasSize(2);
        assertThatThrownBy(() -> SparseFile.copy(source, copy)).isInstanceOf(IOException.class);
    }

    private Path file(String name, long bytes) throws IOException {
        Path file = directory.resolve(name);
        try (RandomAccessFile made = new RandomAccessFile(file.toFile(), "rw")) {
            made.setLength(bytes);
        }
        return file;
    }

    private static Path backing(LoopDevice device) {
        return Path.of("/sys/block", device.path().getFileName().toString(), "loop/backing_file");
    }

    /// Bytes that are no hole, by the count of blocks in a line of `stat(1)`.
    private static long data(Path file) throws IOException {
        Process stat = new ProcessBuilder("stat", "--format=%b", file.toString()).start();
        return 512
                * Long.parseLong(
                        new String(stat.getInputStream().readAllBytes(), StandardCharsets.US_ASCII)
                                .strip());
    }
}
