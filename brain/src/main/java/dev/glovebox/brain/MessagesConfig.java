package dev.glovebox.brain;

import dev.glovebox.protocol.Secret;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// How the [MessagesBrain] reaches the Messages API. The key comes from a file or the environment
/// only, and is never printed.
///
/// @param baseUrl where `/v1/messages` is appended; `http` is accepted for loopback addresses only,
///   since the key travels with each request
/// @param apiKey sent with each request
/// @param timeout the longest silence on the connection, and a tenth of the longest whole reply
/// @param maxRetries how often one request is sent again by the client after 408, 409, 429, 5xx or
///   a lost connection, 0 to 10
/// @param maxOutputTokens the `max_tokens` of each request
public record MessagesConfig(
        URI baseUrl, Secret apiKey, Duration timeout, int maxRetries, long maxOutputTokens) {
    /// Variable with the base URL; absent means Anthropic's own.
    ///
    /// Not `ANTHROPIC_BASE_URL`: that one names the control plane to workers and SDKs, which may be
    /// this very process.
    public static final String BASE_URL = "GLOVEBOX_MODEL_BASE_URL";

    /// Variable with the key itself.
    public static final String KEY = "GLOVEBOX_MODEL_API_KEY";

    /// Variable with the path of a file that holds the key and nothing else.
    public static final String KEY_FILE = "GLOVEBOX_MODEL_API_KEY_FILE";

    private static final URI ANTHROPIC = URI.create("https://api.anthropic.com");
    private static final Duration DEFAULT_TIMEOUT = Duration.ofMinutes(2);
    private static final int DEFAULT_RETRIES = 4;
    private static final long DEFAULT_OUTPUT_TOKENS = 32_000;
    private static final long LARGEST_KEY_FILE = 4096;

    public MessagesConfig {
        checkUrl(baseUrl);
        if (timeout.isNegative() || timeout.isZero()) {
            throw new BrainException("timeout must be more than zero, is " + timeout);
        }
        if (maxRetries < 0 || maxRetries > 10) {
            throw new BrainException("max-retries must be 0 to 10, is " + maxRetries);
        }
        if (maxOutputTokens < 1) {
            throw new BrainException("max-output-tokens must be at least 1, is " + maxOutputTokens);
        }
    }

    /// A configuration with the default limits: 120 s of silence, 4 retries, 32,000 output tokens.
    public static MessagesConfig of(URI baseUrl, Secret apiKey) {
        return new MessagesConfig(
                baseUrl, apiKey, DEFAULT_TIMEOUT, DEFAULT_RETRIES, DEFAULT_OUTPUT_TOKENS);
    }

    /// Reads the configuration from environment variables; empty when they name no key.
    ///
    /// @throws BrainException when a variable is wrong; names the variable, not the key
    public static Optional<MessagesConfig> from(Map<String, String> environment) {
        @Nullable String key = environment.get(KEY);
        @Nullable String file = environment.get(KEY_FILE);
        if (key != null && file != null) {
            throw new BrainException("set " + KEY + " or " + KEY_FILE + ", not both");
        }
        if (key == null && file == null) {
            return Optional.empty();
        }
        String text = file != null ? readKey(file) : String.valueOf(key).strip();
        if (text.isEmpty() || text.chars().anyMatch(c -> c <= ' ' || c > '~')) {
            throw new BrainException(
                    (file != null ? KEY_FILE : KEY) + " must hold one key, without spaces");
        }
        @Nullable String url = environment.get(BASE_URL);
        return Optional.of(of(url == null ? ANTHROPIC : parseUrl(url), new Secret(text)));
    }

    private static String readKey(String file) {
        try {
            Path path = Path.of(file);
            if (Files.size(path) > LARGEST_KEY_FILE) {
                throw new BrainException(KEY_FILE + ": " + file + " is too large for a key");
            }
            return Files.readString(path, StandardCharsets.UTF_8).strip();
        } catch (IOException | InvalidPathException e) {
            throw new BrainException(KEY_FILE + ": cannot read " + file, e);
        }
    }

    private static URI parseUrl(String url) {
        try {
            return new URI(url.strip());
        } catch (URISyntaxException e) {
            throw new BrainException(BASE_URL + " is not a url: " + e.getReason(), e);
        }
    }

    private static void checkUrl(URI url) {
        String host = url.getHost();
        if (host == null || url.getRawQuery() != null || url.getRawUserInfo() != null) {
            throw new BrainException(
                    "base-url must be https://host[:port][/path] without query or user, is " + url);
        }
        boolean loopback =
                host.equals("localhost") || host.startsWith("127.") || host.equals("[::1]");
        if (!"https".equals(url.getScheme()) && !("http".equals(url.getScheme()) && loopback)) {
            throw new BrainException("base-url must be https (http only on loopback), is " + url);
        }
    }
}
