package dev.glovebox.cli.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WorkerProxyVariablesTest {
    @TempDir Path directory;

    @Test
    void theyAreSetOnlyIfTheFileSaysSo() throws IOException {
        assertThat(WorkerSettings.DEFAULT.place().proxyVariables()).isFalse();
        assertThat(read("").place().proxyVariables()).isFalse();
        assertThat(read("egress:\n  proxy-variables: false\n").place().proxyVariables()).isFalse();
        assertThat(read("egress:\n  proxy-variables: true\n").place().proxyVariables()).isTrue();
    }

    @Test
    void anotherWordIsToldWithItsLine() {
        assertThatThrownBy(() -> read("egress:\n  proxy-variables: yes\n"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(
                        "line 2: egress.proxy-variables: 'yes' is not one of true, false");
        assertThatThrownBy(() -> read("egress:\n  proxy-variable: true\n"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("did you mean egress.proxy-variables?");
    }

    private WorkerSettings read(String text) throws IOException {
        Path file = directory.resolve("config.yaml");
        Files.writeString(file, text);
        return WorkerSettings.read(file);
    }
}
