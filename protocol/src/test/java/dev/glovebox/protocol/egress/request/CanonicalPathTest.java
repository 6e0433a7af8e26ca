package dev.glovebox.protocol.egress.request;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.protocol.egress.PolicyException;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CanonicalPathTest {
    private static final long SEED = 27;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "/ | /",
                "/public/a | /public/a",
                "/public/ | /public/",
                "/%70ublic/%2e%2ea | /public/..a",
                "/%41%7a%30%2d%5f%7e | /Az0-_~",
                "/a%c3%a9 | /a%C3%A9",
                "/a%2b%2B+ | /a%2B%2B+",
                "/a\"b<c> | /a%22b%3Cc%3E",
                "/{id} | /%7Bid%7D",
                "/100%25 | /100%25",
                "/a%20b | /a%20b",
                "/a%3Fb%23c%3B | /a%3Fb%23c%3B",
                "/... | /...",
                "/.well-known/x | /.well-known/x",
                "/@scope%40x/-/a-1.0.tgz | /@scope%40x/-/a-1.0.tgz",
                "/a?b=../../c&d=%zz | /a?b=../../c&d=%zz",
                "/a?? | /a??",
                "/a? | /a?",
                "* | *",
            })
    void of_writesOneForm(String raw, String canonical) {
        CanonicalPath path = CanonicalPath.of(raw);
        assertThat(path.text()).isEqualTo(canonical);
        assertThat(CanonicalPath.of(path.text())).isEqualTo(path);
    }

    /// Ways to say `/secret` that a rule about `/public/**` must not let through (D27).
    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "public",
                "http://good.test/public",
                "/public/../secret",
                "/public/./../secret",
                "/public/..",
                "/public/.",
                "/..",
                "/./public",
                "/public/%2e%2e/secret",
                "/public/%2E%2E/secret",
                "/public/.%2e/secret",
                "/public/%2e./secret",
                "/public/%2e",
                "//public",
                "/public//secret",
                "/public///",
                "//",
                "/public/..;/secret",
                "/public;/../secret",
                "/public;x=y/a",
                "/public/;/../secret",
                "/public/..%3b/%2e%2e/secret",
                "/public/..%2fsecret",
                "/public/..%2Fsecret",
                "/public%2f..%2fsecret",
                "/public/..%5csecret",
                "/public/..%5Csecret",
                "/public/..\\secret",
                "/public\\..\\secret",
                "\\public",
                "/public/%00",
                "/public/a%00.png",
                "/public/%0d%0aX:y",
                "/public/%0a",
                "/public/%09",
                "/public/%1f",
                "/public/%7f",
                "/public/%252e%252e/secret",
                "/public/%252E",
                "/public/..%252fsecret",
                "/public/..%255csecret",
                "/public/%25%32%65",
                "/public/%%32%65",
                "/public/%2%65",
                "/public/%25252e",
                "/public/%c0%ae%c0%ae/secret",
                "/public/%c0%af",
                "/public/%e0%80%af",
                "/public/%e0%80%ae",
                "/public/%f0%80%80%ae",
                "/public/%f8%80%80%80%af",
                "/public/%c1%9c",
                "/public/%ff",
                "/public/%80",
                "/public/%c3",
                "/public/%ed%a0%80",
                "/public/%u002e%u002e/secret",
                "/public/%",
                "/public/%2",
                "/public/%g0",
                "/public/%-1",
                "/public/% 2e",
                "/public/%\uff12e",
                "/public/\uff0e\uff0e/secret",
                "/public/\u2215secret",
                "/public/\u0000",
                "/public/ /secret",
                "/public/\tsecret",
                "/public/\u007f",
                "/public#/secret",
                "/public/a#",
                "/public?a#b",
                "/public?a b",
                "/public?a\\b",
                "/public?\u0000",
                "/public?\u00e9",
                "*/",
                "**",
                "*?a",
                "?/public",
            })
    void of_whatHasMoreThanOneMeaning_isRefused(String raw) {
        assertThatThrownBy(() -> CanonicalPath.of(raw)).isInstanceOf(PolicyException.class);
    }

    @Test
    void of_aPathOrQueryBeyondTheLimit_isRefused() {
        assertThat(CanonicalPath.of("/" + "a".repeat(CanonicalPath.MAX_LENGTH - 1)).path())
                .hasSize(CanonicalPath.MAX_LENGTH);
        assertThatThrownBy(() -> CanonicalPath.of("/" + "a".repeat(CanonicalPath.MAX_LENGTH)))
                .isInstanceOf(PolicyException.class);
        assertThatThrownBy(() -> CanonicalPath.of("/?" + "a".repeat(CanonicalPath.MAX_LENGTH + 1)))
                .isInstanceOf(PolicyException.class);
    }

    /// However it is written and however often a server decodes it, what was judged to be below
    /// `/public/` stays there.
    @Test
    void whateverIsWritten_whatFitsAPatternIsStillThereAfterAnyDecoding() {
        String alphabet = "/.%25efcEF0;\\apublis?#";
        PathPattern pattern = new PathPattern("/public/**");
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(SEED);
        int passed = 0;
        for (int i = 0; i < 300_000; i++) {
            StringBuilder raw = new StringBuilder("/public/");
            for (int n = random.nextInt(10); n >= 0; n--) {
                raw.append(alphabet.charAt(random.nextInt(alphabet.length())));
            }
            CanonicalPath path;
            try {
                path = CanonicalPath.of(raw.toString());
            } catch (PolicyException e) {
                continue;
            }
            passed++;
            assertThat(pattern.matches(path)).as("%s, seed %d", raw, SEED).isTrue();
            String decoded = decode(decode(path.path()));
            assertThat(decoded.substring(1).split("[/\\\\]", -1))
                    .as("%s read as %s, seed %d", raw, decoded, SEED)
                    .doesNotContain(".", "..");
        }
        assertThat(passed).as("paths that were read").isGreaterThan(1000);
    }

    /// As a server would that decodes whatever can be decoded.
    private static String decode(String text) {
        StringBuilder decoded = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) == '%' && text.substring(i).matches("%[0-9a-fA-F]{2}.*")) {
                decoded.append((char) Integer.parseInt(text, i + 1, i + 3, 16));
                i += 2;
            } else {
                decoded.append(text.charAt(i));
            }
        }
        return decoded.toString();
    }

    @ParameterizedTest
    @CsvSource({
        "/a, /a, true",
        "/a, /a/, false",
        "/a, /A, false",
        "/a, /a?q=1, true",
        "/a/*, /a/b, true",
        "/a/*, /a/, false",
        "/a/*, /a, false",
        "/a/*, /a/b/c, false",
        "/a/*/c, /a/b/c, true",
        "/a/*/c, /a/b/d, false",
        "/a/**, /a, false",
        "/a/**, /a/, true",
        "/a/**, /a/b/c/d, true",
        "/a/**, /ab/c, false",
        "/**, /, true",
        "/**, *, false",
        "/*/*/git-upload-pack, /o/r.git/git-upload-pack, true",
        "/*/*/git-upload-pack, /o/r.git/git-receive-pack, false",
        "/a%2Ab, /a*b, true",
        "/a%2Ab, /a%2ab, true",
        "/a+b, /a%2bb, true",
        "/a%40b, /a@b, true",
        "/a%3Bb, /a%3bb, true",
    })
    void pattern_matches(String pattern, String path, boolean fits) {
        assertThat(new PathPattern(pattern).matches(CanonicalPath.of(path))).isEqualTo(fits);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "a",
                "*",
                "**",
                "/a*",
                "/*a",
                "/**/a",
                "/a/***",
                "/a//b",
                "/a/../b",
                "/a?b",
                "/a/%2e%2e",
                "/%61",
                "/a;b",
                "/a#b",
                "/a b",
                "/%2f"
            })
    void pattern_whatIsNotCanonical_isRefused(String pattern) {
        assertThatThrownBy(() -> new PathPattern(pattern))
                .isInstanceOf(PolicyException.class)
                .hasMessageContaining("path ");
    }
}
