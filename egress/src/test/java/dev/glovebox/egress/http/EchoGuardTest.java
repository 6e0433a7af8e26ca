package dev.glovebox.egress.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.Secret;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaders;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class EchoGuardTest {
    private static final String SECRET = "aabaabaac";

    private static EchoGuard guard(String... secrets) {
        return EchoGuard.Forms.of(List.of(secrets).stream().map(Secret::new).toList())
                .orElseThrow()
                .guard();
    }

    /// What comes out for the text cut into pieces of this size.
    private static String pass(EchoGuard guard, String text, int size) {
        StringBuilder out = new StringBuilder();
        for (int at = 0; at < text.length() || at == 0; at += size) {
            int end = Math.min(text.length(), at + size);
            out.append(shown(guard, text.substring(at, end), end == text.length()));
        }
        return out.toString();
    }

    private static String shown(EchoGuard guard, String text, boolean end) {
        return guard.pass(Unpooled.copiedBuffer(text, StandardCharsets.ISO_8859_1), end)
                .toString(StandardCharsets.ISO_8859_1);
    }

    @Test
    void secretCutAtAnyOffset_isCovered() {
        for (int size = 1; size <= 20; size++) {
            assertThat(pass(guard(SECRET), "xxaabaab" + SECRET + "yy", size))
                    .as("pieces of %s", size)
                    .isEqualTo("xxaabaab*********yy");
            assertThat(pass(guard(SECRET), SECRET, size)).isEqualTo("*********");
        }
    }

    @Test
    void randomTextOfTheSameLetters_isCoveredWhereTheSecretIsAndNowhereElse() {
        SplittableRandom random = new SplittableRandom(7);
        for (int i = 0; i < 20_000; i++) {
            StringBuilder text = new StringBuilder();
            int letters = random.nextInt(3, 5);
            for (int length = random.nextInt(200); length > 0; length--) {
                text.append(
                        random.nextInt(40) == 0
                                ? SECRET
                                : "" + "abcd".charAt(random.nextInt(letters)));
            }
            EchoGuard guard = guard(SECRET);
            String passed = pass(guard, text.toString(), random.nextInt(1, 70));
            assertThat(passed).isEqualTo(covered(text.toString()));
            assertThat(guard.hasFound()).isEqualTo(text.indexOf(SECRET) >= 0);
        }
    }

    /// The plain way: every place of the secret, also where two overlap.
    private static String covered(String text) {
        StringBuilder covered = new StringBuilder(text);
        for (int at = text.indexOf(SECRET); at >= 0; at = text.indexOf(SECRET, at + 1)) {
            covered.replace(at, at + SECRET.length(), "*".repeat(SECRET.length()));
        }
        return covered.toString();
    }

    @Test
    void onlyAPossibleBeginning_isHeldBack() {
        EchoGuard guard = guard(SECRET);
        assertThat(shown(guard, "event: one\n\n", false)).isEqualTo("event: one\n\n");
        assertThat(shown(guard, "xaab", false)).isEqualTo("x");
        assertThat(shown(guard, "x", false)).isEqualTo("aabx");
        assertThat(shown(guard, SECRET, false)).isEqualTo("*".repeat(SECRET.length()));
    }

    /// The secret is aab..., so what it may be the beginning of is known byte by byte.
    @Test
    void afterAPause_theRestOfASecretIsStillCovered() {
        for (int shown = 1; shown <= 3; shown++) {
            EchoGuard guard = guard(SECRET);
            String text = "x" + SECRET + "y" + SECRET;
            assertThat(shown(guard, text.substring(0, 1 + shown), false)).isEqualTo("x");
            assertThat(guard.holdsLittle()).isTrue();
            assertThat(guard.release().toString(StandardCharsets.UTF_8))
                    .isEqualTo(SECRET.substring(0, shown));
            assertThat(guard.holdsLittle()).isFalse();
            assertThat(shown(guard, text.substring(1 + shown), true))
                    .isEqualTo(
                            "*".repeat(SECRET.length() - shown)
                                    + "y"
                                    + "*".repeat(SECRET.length()));
        }
        EchoGuard guard = guard(SECRET);
        assertThat(shown(guard, SECRET.substring(0, 4), false)).isEmpty();
        assertThat(guard.holdsLittle()).isFalse();
    }

    private static Map<String, String> spellings(String secret) {
        byte[] raw = secret.getBytes(StandardCharsets.UTF_8);
        Map<String, String> spellings = new LinkedHashMap<>();
        spellings.put("raw", "you said " + secret + ".");
        for (String around : List.of("", "x", "xy", "xyz")) {
            byte[] whole = (around + secret + "tail").getBytes(StandardCharsets.UTF_8);
            spellings.put("base64 after " + around, Base64.getEncoder().encodeToString(whole));
            spellings.put(
                    "base64url after " + around, Base64.getUrlEncoder().encodeToString(whole));
        }
        spellings.put("hex", HexFormat.of().formatHex(raw));
        spellings.put("HEX", HexFormat.of().withUpperCase().formatHex(raw));
        spellings.put("form", URLEncoder.encode(secret, StandardCharsets.UTF_8));
        spellings.put("url", URLEncoder.encode(secret, StandardCharsets.UTF_8).replace("+", "%20"));
        spellings.put("json", secret.replace("\\", "\\\\").replace("\"", "\\\""));
        spellings.put("html", secret.replace("&", "&amp;").replace("\"", "&quot;"));
        return spellings;
    }

    @Test
    void serverThatEchoesTheSecretInAnotherSpelling_isCoveredAtTheSameLength() {
        String secret = "sk/\"Q u&i\\et+0123456789=";
        spellings(secret)
                .forEach((name, text) -> {
                    for (int size : new int[] {1, 2, 3, 7, 1000}) {
                        EchoGuard guard = guard(secret);
                        String out = pass(guard, "<" + text + ">", size);
                        assertThat(guard.hasFound()).as(name).isTrue();
                        assertThat(out).as(name).hasSize(text.length() + 2).contains("****");
                        assertThat(out.chars().filter(c -> c == '*').count())
                                .as(name)
                                .isGreaterThanOrEqualTo(secret.length() - 2L);
                    }
                });
    }

    @Test
    void knownMisses_pass() {
        EchoGuard guard = guard(SECRET);
        String reversed = new StringBuilder(SECRET).reverse().toString();
        String twice =
                HexFormat.of()
                        .formatHex(
                                HexFormat.of()
                                        .formatHex(SECRET.getBytes(StandardCharsets.UTF_8))
                                        .getBytes(StandardCharsets.UTF_8));
        String cut = SECRET.substring(0, 4) + " " + SECRET.substring(4);
        for (String missed : List.of(reversed, twice, cut)) {
            assertThat(pass(guard, missed, 5)).isEqualTo(missed);
        }
        assertThat(EchoGuard.Forms.of(List.of(new Secret("1234567")))).isEmpty();
    }

    @Test
    void severalSecrets_headersAndTrailers() {
        EchoGuard guard = guard(SECRET, "another-secret");
        HttpHeaders headers =
                new DefaultHttpHeaders()
                        .add("X", "a " + SECRET)
                        .add("Set-Cookie", "k=another-secret; Path=/")
                        .add("Set-Cookie", "plain=1");
        assertThat(guard.cover(headers)).isTrue();
        assertThat(headers.get("X")).isEqualTo("a *********");
        assertThat(headers.getAll("Set-Cookie"))
                .containsExactly("k=**************; Path=/", "plain=1");
        assertThat(guard.hasFound()).isTrue();
        assertThat(guard.cover(new DefaultHttpHeaders().add("X-" + SECRET, "1"))).isFalse();
    }
}
