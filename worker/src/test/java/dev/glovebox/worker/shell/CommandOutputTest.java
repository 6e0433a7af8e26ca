package dev.glovebox.worker.shell;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CommandOutputTest {
    private static final String NONCE = "__GBX_CMD_0123_DONE__";
    private static final int LIMIT = 100 * 1024;

    @Test
    void endsAtTheMarkHoweverTheBytesAreCut() {
        byte[] bytes =
                ("some text __GBX_CMD_ " + NONCE + "%d " + NONCE + "x\nmore\n" + NONCE + "137\n")
                        .getBytes(StandardCharsets.UTF_8);
        for (int cut = 0; cut < bytes.length; cut++) {
            CommandOutput output = new CommandOutput(NONCE, LIMIT);

            assertThat(output.append(bytes, cut)).isFalse();
            byte[] rest = Arrays.copyOfRange(bytes, cut, bytes.length);
            assertThat(output.append(rest, rest.length)).as("cut at %d", cut).isTrue();
            assertThat(output.exitCode()).isEqualTo(137);
            assertThat(output.text()).endsWith("%d " + NONCE + "x\nmore");
        }
    }

    @Test
    void endsAtTheMarkByteByByte() {
        CommandOutput output = new CommandOutput(NONCE, LIMIT);
        boolean complete = false;
        for (byte b : ("a\n" + NONCE + "0\nlater").getBytes(StandardCharsets.UTF_8)) {
            complete = output.append(new byte[] {b}, 1);
        }

        assertThat(complete).isTrue();
        assertThat(output.text()).isEqualTo("a");
        assertThat(output.exitCode()).isZero();
    }

    @ParameterizedTest
    @CsvSource({"1024", "4096", "1048576", "16777216"})
    void keepsWhatItIsToldTo(int limit) {
        CommandOutput output = new CommandOutput(NONCE, limit);
        append(output, "x".repeat(3 * limit));
        append(output, "\n" + NONCE + "0\n");

        assertThat(output.text())
                .startsWith("[output truncated] the last ")
                .endsWith("\n" + "x".repeat(limit - NONCE.length() - 3));
    }

    @ParameterizedTest
    @CsvSource({"0, false", "50000, false", "102376, false", "102377, true", "3000000, true"})
    void keepsAHundredKibibytes(int length, boolean cut) {
        CommandOutput output = new CommandOutput(NONCE, LIMIT);
        append(output, "x".repeat(length));
        append(output, "\n" + NONCE + "0\n");

        int kept = Math.min(length, LIMIT - NONCE.length() - 3);
        assertThat(output.text())
                .isEqualTo(
                        (cut
                                        ? "[output truncated] the last "
                                                + (kept + 1)
                                                + " of "
                                                + (length + 1)
                                                + " bytes follow\n"
                                        : "")
                                + "x".repeat(kept));
    }

    @Test
    void findsAMarkAfterAnyAmountOfText() {
        for (int length = 409_000; length < 411_000; length += 13) {
            CommandOutput output = new CommandOutput(NONCE, LIMIT);
            append(output, "_".repeat(length));
            append(output, NONCE + "5\n");

            assertThat(output.exitCode()).as("after %d bytes", length).isEqualTo(5);
        }
    }

    @Test
    void neverCutsACharacterInHalf() {
        CommandOutput output = new CommandOutput(NONCE, LIMIT);
        append(output, "\u20ac".repeat(60_000));
        append(output, "\n" + NONCE + "0\n");

        assertThat(output.text()).contains("follow\n\u20ac").doesNotContain("\uFFFD");
    }

    @ParameterizedTest
    @CsvSource({
        "'\u001b[31mred\u001b[0m', red",
        "'\u001b[2J\u001b[1;1Hx', x",
        "'\u001b[?25lx', x",
        "'no \u001b alone', 'no \u001b alone'",
        "'[31m', '[31m'"
    })
    void removesTerminalSequences(String text, String expected) {
        assertThat(AnsiText.strip(text)).isEqualTo(expected);
    }

    private static void append(CommandOutput output, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < bytes.length; i += 32_768) {
            byte[] part = Arrays.copyOfRange(bytes, i, Math.min(bytes.length, i + 32_768));
            output.append(part, part.length);
        }
    }
}
