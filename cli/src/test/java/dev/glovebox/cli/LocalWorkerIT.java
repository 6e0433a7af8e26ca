package dev.glovebox.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.HotSpotDiagnosticMXBean;
import dev.glovebox.cli.config.WorkerSettings;
import dev.glovebox.protocol.Secret;
import dev.glovebox.worker.WorkerConfig;
import dev.glovebox.worker.operator.OperatorException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A worker that cannot be opened as a whole is not there in part. Needs root.
final class LocalWorkerIT {
    @TempDir Path directory;

    @Test
    void aWorkerThatCannotListenForOperatorsLeavesNothing() throws Exception {
        Path data = Files.createDirectory(directory.resolve("data"));
        Files.writeString(data.resolve("operator"), "in the way of the socket's directory");
        WorkerConfig config =
                WorkerConfig.of(URI.create("http://127.0.0.1:1"), "env_1", new Secret("key"), data);

        assertThatThrownBy(() -> LocalWorker.open(config, WorkerSettings.DEFAULT))
                .isInstanceOf(OperatorException.class);

        assertThat(threads()).doesNotContain("warm-base");
        assertThat(mounts()).isEmpty();
        assertThat(data.resolve("doors")).isDirectoryNotContaining("glob:**.net");
        Files.delete(data.resolve("operator"));
        try (LocalWorker worker = LocalWorker.open(config, WorkerSettings.DEFAULT)) {
            assertThat(worker).as("the control: its state is free").isNotNull();
            assertThat(threads()).as("the control: it makes sandboxes ready").contains("warm-base");
        }
        assertThat(mounts()).isEmpty();
    }

    /// The names of all threads, virtual ones too.
    private String threads() throws IOException {
        Path dump = directory.resolve("threads");
        Files.deleteIfExists(dump);
        ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
                .dumpThreads(dump.toString(), HotSpotDiagnosticMXBean.ThreadDumpFormat.TEXT_PLAIN);
        return Files.readString(dump);
    }

    private List<String> mounts() {
        try (var lines = Files.lines(Path.of("/proc/self/mountinfo"))) {
            return lines.filter(line -> line.contains(" " + directory)).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
