package dev.glovebox.brain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.protocol.Secret;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MessagesConfigTest {
    @TempDir private Path directory;

    @Test
    void noKey_isNoConfiguration() {
        assertThat(MessagesConfig.from(Map.of("ANTHROPIC_API_KEY", "sk-other"))).isEmpty();
    }

    @Test
    void keyAlone_takesTheDefaults() {
        assertThat(MessagesConfig.from(Map.of(MessagesConfig.KEY, "sk-1")))
                .contains(
                        new MessagesConfig(
                                URI.create("https://api.anthropic.com"),
                                new Secret("sk-1"),
                                Duration.ofMinutes(2),
                                4,
                                32_000));
    }

    @Test
    void keyFile_isReadWithoutItsLineEnd() throws Exception {
        Path file = Files.writeString(directory.resolve("key"), "sk-2\n");
        assertThat(
                        MessagesConfig.from(
                                Map.of(
                                        MessagesConfig.KEY_FILE,
                                        file.toString(),
                                        MessagesConfig.BASE_URL,
                                        "http://127.0.0.1:9/prefix")))
                .contains(
                        MessagesConfig.of(
                                URI.create("http://127.0.0.1:9/prefix"), new Secret("sk-2")));
    }

    @Test
    void printing_doesNotShowTheKey() {
        assertThat(MessagesConfig.from(Map.of(MessagesConfig.KEY, "sk-very-secret")).toString())
                .doesNotContain("sk-very-secret")
                .contains("api.anthropic.com");
    }

    @Test
    void keyAndKeyFile_isRefused() {
        assertRefused(
                Map.of(MessagesConfig.KEY, "sk-1", MessagesConfig.KEY_FILE, "/f"), "not both");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "two words", "é", "a\nb"})
    void badKey_isRefusedWithoutShowingIt(String key) {
        assertThatThrownBy(() -> MessagesConfig.from(Map.of(MessagesConfig.KEY, key)))
                .isInstanceOf(BrainException.class)
                .hasMessage("GLOVEBOX_MODEL_API_KEY must hold one key, without spaces");
    }

    @Test
    void missingOrHugeKeyFile_isNamed() throws Exception {
        assertRefused(Map.of(MessagesConfig.KEY_FILE, "/does/not/exist"), "/does/not/exist");
        Path huge = Files.writeString(directory.resolve("huge"), "x".repeat(5000));
        assertRefused(Map.of(MessagesConfig.KEY_FILE, huge.toString()), "too large");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://example.com",
                "ftp://example.com",
                "example.com",
                "https://",
                "https://user:pw@example.com",
                "https://example.com?x=1",
                "not a url"
            })
    void badUrl_isRefused(String url) {
        assertRefused(Map.of(MessagesConfig.KEY, "sk-1", MessagesConfig.BASE_URL, url), "");
    }

    @Test
    void badLimits_areRefused() {
        URI url = URI.create("https://example.com");
        Secret key = new Secret("k");
        Duration second = Duration.ofSeconds(1);
        assertThatThrownBy(() -> new MessagesConfig(url, key, Duration.ZERO, 0, 1))
                .hasMessageContaining("timeout");
        assertThatThrownBy(() -> new MessagesConfig(url, key, second, 11, 1))
                .hasMessageContaining("max-retries");
        assertThatThrownBy(() -> new MessagesConfig(url, key, second, -1, 1))
                .hasMessageContaining("max-retries");
        assertThatThrownBy(() -> new MessagesConfig(url, key, second, 0, 0))
                .hasMessageContaining("max-output-tokens");
    }

    private static void assertRefused(Map<String, String> environment, String words) {
        assertThatThrownBy(() -> MessagesConfig.from(environment))
                .isInstanceOf(BrainException.class)
                .hasMessageContaining(words);
    }
}
