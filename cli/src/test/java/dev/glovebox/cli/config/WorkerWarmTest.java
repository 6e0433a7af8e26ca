package dev.glovebox.cli.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.worker.Warm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WorkerWarmTest {
    @TempDir Path directory;

    @Test
    void withoutAWordTwoAreKeptReady() throws IOException {
        assertThat(read("").place().warm()).isEqualTo(new Warm(2, Duration.ofMinutes(30)));
        assertThat(WorkerSettings.DEFAULT.place().warm()).isEqualTo(Warm.DEFAULT);
    }

    @Test
    void sizeStartsAndAgeOfTheFileArrive() throws IOException {
        assertThat(read("warm:\n  size: 8\n  starts: 3\n  max-age: 5m\n").place().warm())
                .isEqualTo(new Warm(8, 3, Duration.ofMinutes(5)));
        assertThat(read("warm:\n  size: 8\n").place().warm().starts()).isEqualTo(1);
        assertThat(read("warm:\n  size: 0\n").place().warm().size()).isZero();
    }

    @Test
    void whatIsOutOfRangeIsToldWithItsLine() {
        refused("size: -1", "warm.size");
        refused("size: 65", "warm.size");
        refused("size: many", "warm.size");
        refused("starts: 0", "warm.starts");
        refused("starts: 9", "warm.starts");
        refused("starts: all", "warm.starts");
        refused("max-age: 10ms", "warm.max-age");
    }

    private void refused(String line, String key) {
        assertThatThrownBy(() -> read("warm:\n  " + line + "\n"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("line 2: " + key);
    }

    private WorkerSettings read(String text) throws IOException {
        Path file = directory.resolve("config.yaml");
        Files.writeString(file, text);
        return WorkerSettings.read(file);
    }
}
