package dev.glovebox.linux.disk;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BlockDeviceTest {
    @TempDir Path sys;

    @Test
    void theDiskOfAPartitionIsTheWholeOne() throws IOException {
        Path disk = Files.createDirectories(sys.resolve("devices/sda"));
        Files.writeString(disk.resolve("dev"), "8:0\n");
        Path partition = Files.createDirectory(disk.resolve("sda3"));
        Files.writeString(partition.resolve("dev"), "8:3\n");
        Files.writeString(partition.resolve("partition"), "3\n");
        Path devices = Files.createDirectory(sys.resolve("block"));
        Files.createSymbolicLink(devices.resolve("8:0"), disk);
        Files.createSymbolicLink(devices.resolve("8:3"), partition);

        assertThat(BlockDevice.under(devices, "8:3")).contains("8:0");
        assertThat(BlockDevice.under(devices, "8:0")).contains("8:0");
        assertThat(BlockDevice.under(devices, "0:41")).isEmpty();
    }

    @Test
    void whatIsInMemoryHasNone() {
        assertThat(BlockDevice.under(Path.of("/proc/self/status"))).isEmpty();
        assertThat(BlockDevice.under(Path.of("/nonexistent"))).isEmpty();
    }
}
