package dev.glovebox.egress.credential;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// E10, E11.
class ReplacementTest {
    private static final int ROUNDS = 20_000;

    private static String pass(Replacement replacement, String text, SplittableRandom random) {
        StringBuilder out = new StringBuilder();
        int at = 0;
        while (at < text.length()) {
            int next = Math.min(text.length(), at + random.nextInt(1, 8));
            var piece = Unpooled.copiedBuffer(text.substring(at, next), StandardCharsets.US_ASCII);
            out.append(replacement.pass(piece, false).toString(StandardCharsets.US_ASCII));
            at = next;
        }
        return out.append(
                        replacement
                                .pass(Unpooled.EMPTY_BUFFER, true)
                                .toString(StandardCharsets.US_ASCII))
                .toString();
    }

    private static String random(SplittableRandom random, int length) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < length; i++) {
            text.append((char) ('a' + random.nextInt(2)));
        }
        return text.toString();
    }

    /// Texts of two letters, so that placeholders begin within each other, and values that hold the
    /// placeholder or its parts: what was put in is never looked at again.
    @Test
    void streamCutAnywhere_isReplacedLikeTheWholeText_onceAndNotAgain() {
        SplittableRandom random = new SplittableRandom(11);
        int found = 0;
        for (int i = 0; i < ROUNDS; i++) {
            String placeholder = random(random, random.nextInt(2, 6));
            String value = random.nextBoolean() ? placeholder + "a" : random(random, 3);
            String text = random(random, random.nextInt(40));
            Replacement replacement = new Replacement(placeholder, Optional.of(value));
            assertThat(pass(replacement, text, random))
                    .as("%s for %s in %s", value, placeholder, text)
                    .isEqualTo(text.replace(placeholder, value));
            assertThat(replacement.hasFound()).isEqualTo(text.contains(placeholder));
            found += replacement.hasFound() ? 1 : 0;

            Replacement looker = new Replacement(placeholder, Optional.empty());
            pass(looker, text, random);
            assertThat(looker.hasFound()).isEqualTo(text.contains(placeholder));
        }
        assertThat(found).as("positive control").isGreaterThan(ROUNDS / 4);
    }
}
