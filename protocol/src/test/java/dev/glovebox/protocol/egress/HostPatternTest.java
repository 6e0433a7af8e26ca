package dev.glovebox.protocol.egress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HostPatternTest {
    private static final long SEED = 4;
    private static final int PAIRS = 1_000_000;
    private static final List<String> LABELS =
            List.of("good", "evilgood", "evil", "test", "a", "b", "com", "x-y", "xn--bcher-kva");

    /// Suffix confusion, apex against wildcard, wildcards over several labels (D6).
    @Test
    void matches_agreesWithAReferenceOnAMillionPairs() {
        RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(SEED);
        int matched = 0;
        for (int i = 0; i < PAIRS; i++) {
            String name = name(random);
            String pattern = List.of("", "*.", ".").get(random.nextInt(3)) + name(random);
            if (!pattern.substring(pattern.lastIndexOf('*') + 1).substring(1).contains(".")
                    && !Character.isLetter(pattern.charAt(0))) {
                continue;
            }
            boolean expected = reference(pattern, name);
            if (HostPattern.parse(pattern).matches(Host.parse(name)) != expected) {
                fail("%s against %s, seed %d", name, pattern, SEED);
            }
            matched += expected ? 1 : 0;
        }
        assertThat(matched).as("pairs that match").isGreaterThan(PAIRS / 1000);
    }

    private static String name(RandomGenerator random) {
        StringBuilder name = new StringBuilder();
        for (int i = random.nextInt(4); i >= 0; i--) {
            name.append(LABELS.get(random.nextInt(LABELS.size()))).append(i == 0 ? "" : ".");
        }
        return name.toString();
    }

    /// Label by label from the right, sharing nothing with what it judges.
    private static boolean reference(String pattern, String name) {
        List<String> given = List.of(name.split("\\.", -1)).reversed();
        if (!pattern.startsWith("*.") && !pattern.startsWith(".")) {
            return given.equals(List.of(pattern.split("\\.", -1)).reversed());
        }
        List<String> apex =
                List.of(pattern.substring(pattern.indexOf('.') + 1).split("\\.", -1)).reversed();
        int below = given.size() - apex.size();
        boolean under = below >= 0 && given.subList(0, apex.size()).equals(apex);
        return under && (below == 1 || (below == 0 && pattern.startsWith(".")));
    }

    /// A wildcard over an address or a zone id, over everything, over a top-level domain (D6).
    @ParameterizedTest
    @ValueSource(
            strings = {
                "*",
                "*.",
                ".",
                "..",
                "*.com",
                ".com",
                "**",
                "**.good.test",
                "*.*.test",
                "a.*.test",
                "*good.test",
                "g*d.test",
                "*.1.2.3.4",
                ".1.2.3.4",
                "*.::1",
                ".::1",
                "*.[::1]",
                "*.::ffff:1.2.3.4%x.good.test",
                "*.good.test.",
                ".good.test.",
                "*..good.test",
                "..good.test",
                "*.good.test:443",
                "*.GOOD_test.test",
                "*.good.test/"
            })
    void parse_whatCoversTooMuchOrIsNoPattern_isRefused(String pattern) {
        assertThatThrownBy(() -> HostPattern.parse(pattern)).isInstanceOf(PolicyException.class);
    }

    @ParameterizedTest
    @CsvSource({
        "a.test, a.test, a.test",
        "a.test, b.test, ''",
        "*.good.test, a.good.test, a.good.test",
        "*.good.test, good.test, ''",
        ".good.test, good.test, good.test",
        "*.good.test, .good.test, *.good.test",
        ".good.test, .good.test, .good.test",
        "*.good.test, .a.good.test, a.good.test",
        "*.good.test, *.a.good.test, ''",
        "203.0.113.0/24, 203.0.113.7, 203.0.113.7",
        "10.0.0.0/8, 10.1.2.3, ''",
        "0.0.0.0/0, 169.254.169.254, ''",
        "203.0.113.0/24, *.good.test, ''",
    })
    void meet_isWhatBothMean(String one, String other, String both) {
        for (boolean swapped : new boolean[] {false, true}) {
            List<HostPattern> met =
                    HostPattern.meet(
                            pattern(swapped ? other : one), pattern(swapped ? one : other));
            assertThat(met.stream().map(HostPattern::text).toList())
                    .isEqualTo(both.isEmpty() ? List.of() : List.of(both));
        }
    }

    private static HostPattern pattern(String text) {
        return text.contains("/")
                ? new HostPattern.Block(Cidr.parse(text))
                : HostPattern.parse(text);
    }
}
