package dev.glovebox.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.protocol.Secret;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WorkerConfigTest {
    private static final WorkerConfig DEFAULT =
            WorkerConfig.of(
                    URI.create("https://api.anthropic.com"),
                    "env_1",
                    new Secret("sk-ant-oat01-secret"),
                    Path.of("/data"));

    @Test
    void hasDefaults() {
        assertThat(DEFAULT.maxSessions()).isEqualTo(16);
        assertThat(DEFAULT.maxIdle()).isEqualTo(Duration.ofSeconds(60));
        assertThat(DEFAULT.drainGrace()).isEqualTo(Duration.ofSeconds(30));
        assertThat(DEFAULT.place().policies().read().standard().rules()).isEmpty();
    }

    @Test
    void neverShowsTheKey() {
        assertThat(DEFAULT.toString()).doesNotContain("sk-ant");
    }

    @Test
    void listsEverythingThatIsWrong() {
        assertThatThrownBy(() ->
                        new WorkerConfig(
                                URI.create("ftp://x"),
                                " ",
                                new Secret("k"),
                                Path.of("/data"),
                                0,
                                Duration.ofSeconds(-1),
                                Duration.ofDays(2),
                                PlaceConfig.DEFAULT))
                .isInstanceOf(WorkerException.class)
                .hasMessageContainingAll(
                        "base-url", "environment-id", "max-sessions", "max-idle", "drain-grace");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"x", "http:x", "http://u:p@host", "http://h?x=1", "http://h#f", "file:///x"})
    void refusesAnAddressThatIsNone(String address) {
        assertThatThrownBy(() ->
                        WorkerConfig.of(
                                URI.create(address), "env_1", new Secret("k"), Path.of("/data")))
                .isInstanceOf(WorkerException.class)
                .hasMessageContaining("base-url")
                .hasMessageNotContaining("u:p");
    }
}
