package dev.glovebox.cli.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.sandbox.Limits;
import dev.glovebox.workspace.WorkspaceLimits;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WorkerLimitsTest {
    @TempDir Path directory;

    @Test
    void everyLimitOfTheFileArrives() throws IOException {
        WorkerSettings settings =
                read(
                        """
                        limits:
                          memory: 1g
                          cpus: 0.5
                          pids: 64
                          open-files: 2048
                          disk: 1g
                          files: 5000
                          time: 90m
                          disk-rate: 20m
                          output: 1m
                        """);

        assertThat(settings.place().limits())
                .isEqualTo(
                        new Limits(
                                1L << 30,
                                0.5,
                                64,
                                2048,
                                1L << 30,
                                Duration.ofMinutes(90),
                                20L << 20));
        assertThat(settings.place().tools().outputBytes()).isEqualTo(1 << 20);
        assertThat(settings.disk()).contains(new WorkspaceLimits(1L << 30, 5000));
    }

    @Test
    void withoutAWordAWorkspaceIsLimited() throws IOException {
        assertThat(read("").disk()).contains(WorkspaceLimits.DEFAULT);
        assertThat(WorkerSettings.DEFAULT.disk()).contains(WorkspaceLimits.DEFAULT);
        assertThat(read("").place().limits()).isEqualTo(Limits.DEFAULT);
    }

    @Test
    void onlyTheWordNoneTakesTheLimitOfTheDiskAway() throws IOException {
        assertThat(read("limits:\n  disk: none\n").disk()).isEmpty();
        for (String wrong : new String[] {"no", "0", "-1", "1k", "unlimited"}) {
            assertThatThrownBy(() -> read("limits:\n  disk: " + wrong + "\n"))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("line 2: limits.disk");
        }
    }

    /// What the worker's file says goes over what the template says, what it leaves out does not.
    @Test
    void theTemplatesWorkspaceIsTheWorkersUnlessItSaysOtherwise() throws IOException {
        Files.writeString(directory.resolve("small.yaml"), "limits:\n  disk: 1g\n  files: 5000\n");
        String template = "templates: " + directory + "\ntemplate: small\n";

        WorkerSettings as = read(template);
        assertThat(as.disk()).contains(new WorkspaceLimits(1L << 30, 5000));
        assertThat(as.place().limits().fileBytes()).isEqualTo(1L << 30);
        assertThat(read(template + "limits:\n  files: 9000\n").disk())
                .contains(new WorkspaceLimits(1L << 30, 9000));
        assertThat(read(template + "limits:\n  disk: none\n").disk()).isEmpty();
    }

    @Test
    void whatIsOutOfRangeIsToldWithItsLine() {
        for (String wrong :
                new String[] {
                    "time: 0s",
                    "time: 721h",
                    "time: long",
                    "disk-rate: 1k",
                    "disk-rate: 0",
                    "disk-rate: fast",
                    "output: 100",
                    "output: 17m",
                    "output: all"
                }) {
            assertThatThrownBy(() -> read("limits:\n  " + wrong + "\n"))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("line 2: limits." + wrong.split(":", 2)[0]);
        }
    }

    private WorkerSettings read(String text) throws IOException {
        Path file = directory.resolve("config.yaml");
        Files.writeString(file, text);
        return WorkerSettings.read(file);
    }
}
