package dev.glovebox.egress.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.Secret;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class EchoGuardTest {
    private static final String SECRET = "aabaabaac";

    /// What comes out for the text cut into pieces of this size; empty if the guard stopped it.
    private static Optional<String> pass(String text, int size) {
        EchoGuard guard = EchoGuard.against(new Secret(SECRET)).orElseThrow();
        StringBuilder out = new StringBuilder();
        for (int at = 0; at < text.length() || at == 0; at += size) {
            int end = Math.min(text.length(), at + size);
            ByteBuf piece =
                    Unpooled.copiedBuffer(text.substring(at, end), StandardCharsets.US_ASCII);
            Optional<ByteBuf> passed = guard.pass(piece, end == text.length());
            if (passed.isEmpty()) {
                return Optional.empty();
            }
            out.append(passed.get().toString(StandardCharsets.US_ASCII));
        }
        return Optional.of(out.toString());
    }

    @Test
    void secretCutAtAnyOffset_isStopped() {
        for (int size = 1; size <= 20; size++) {
            assertThat(pass("xxaabaab" + SECRET + "yy", size)).as("pieces of %s", size).isEmpty();
            assertThat(pass(SECRET, size)).isEmpty();
        }
    }

    @Test
    void randomTextOfTheSameLetters_passesUnchangedOrHoldsTheSecret() {
        SplittableRandom random = new SplittableRandom(7);
        for (int i = 0; i < 20_000; i++) {
            StringBuilder text = new StringBuilder();
            for (int length = random.nextInt(60); length > 0; length--) {
                text.append("abc".charAt(random.nextInt(3)));
            }
            Optional<String> passed = pass(text.toString(), random.nextInt(1, 9));
            if (text.indexOf(SECRET) >= 0) {
                assertThat(passed).isEmpty();
            } else {
                assertThat(passed).contains(text.toString());
            }
        }
    }

    @Test
    void onlyAPossibleBeginning_isHeldBack() {
        EchoGuard guard = EchoGuard.against(new Secret(SECRET)).orElseThrow();
        assertThat(shown(guard, "event: one\n\n")).isEqualTo("event: one\n\n");
        assertThat(shown(guard, "xaab")).isEqualTo("x");
        assertThat(shown(guard, "x")).isEqualTo("aabx");
    }

    private static String shown(EchoGuard guard, String text) {
        return guard.pass(Unpooled.copiedBuffer(text, StandardCharsets.US_ASCII), false)
                .orElseThrow()
                .toString(StandardCharsets.US_ASCII);
    }

    @Test
    void headers_andShortSecrets() {
        EchoGuard guard = EchoGuard.against(new Secret(SECRET)).orElseThrow();
        assertThat(guard.isIn(new DefaultHttpHeaders().add("X", "a " + SECRET))).isTrue();
        assertThat(guard.isIn(new DefaultHttpHeaders().add("X", "aabaabaa"))).isFalse();
        assertThat(EchoGuard.against(new Secret("1234567"))).isEmpty();
    }
}
