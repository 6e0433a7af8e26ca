package dev.glovebox.cli.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class SettingsTest {
    private static final Set<String> KNOWN = Set.of("max-sessions", "limits.memory", "policy");

    @TempDir Path directory;

    @Test
    void keysAreFoundAtEveryDepth() throws IOException {
        Settings settings = read("max-sessions: 4\nlimits:\n  memory: 256m\n");
        assertThat(settings.get("max-sessions", Integer::parseInt)).contains(4);
        assertThat(settings.get("limits.memory", s -> s)).contains("256m");
        assertThat(settings.get("policy", s -> s)).isEmpty();
        settings.finish();
    }

    @Test
    void everythingWrongIsToldAtOnceWithItsLine() throws IOException {
        Settings settings =
                read("max-sesions: 4\npolicy: [a]\nlimits:\n  memory: 256m\n  cpu: 1\n");
        settings.get("limits.memory", Integer::parseInt);
        assertThatThrownBy(settings::finish)
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("line 1: unknown key max-sesions; did you mean max-sessions?")
                .hasMessageContaining("line 2: policy: a list is not expected here")
                .hasMessageContaining("line 4: limits.memory: ")
                .hasMessageContaining("line 5: unknown key limits.cpu; known are ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"a: b: c", "max-sessions: 1\nmax-sessions: 2", "{", "- [", "\t x"})
    void whatIsNotYamlIsRefusedWithItsLine(String text) {
        assertThatThrownBy(() -> read(text).finish())
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("line ");
    }

    @Test
    void anEmptyFileSetsNothing() throws IOException {
        read("").finish();
        read("# only a comment\n").finish();
    }

    @Test
    void aMissingFileIsNamed() {
        assertThatThrownBy(() -> Settings.read(directory.resolve("none.yaml"), KNOWN))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("none.yaml");
    }

    private Settings read(String text) throws IOException {
        Path file = directory.resolve("config.yaml");
        Files.writeString(file, text);
        return Settings.read(file, KNOWN);
    }
}
