package dev.glovebox.worker.operator;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.Json;
import org.junit.jupiter.api.Test;

class PrintableTest {
    @Test
    void terminalEscape_isShownAndNotSent() {
        assertThat(Printable.line("\u001b]0;title\u0007 \u009b31m \u007f"))
                .isEqualTo("\\x1b]0;title\\x07 \\x9b31m \\x7f");
        assertThat(Printable.line("a\nb\rc\td")).isEqualTo("a\\nb\\rc\\td");
        assertThat(Printable.lines("a\nb\rc\td")).isEqualTo("a\nb\\rc\td");
        assertThat(Printable.line("x\u202ecod.exe")).isEqualTo("x\\u202ecod.exe");
    }

    @Test
    void wordsOfAllLanguages_stay() {
        String words = "grüße, 世界, مرحبا, \ud83d\ude00";
        assertThat(Printable.line(words)).isEqualTo(words);
    }

    @Test
    void json_meansTheSameAndHoldsNoControlCharacter() {
        String text = "\u001b\u009b\u202e\u007f\n\"x";
        String json = Printable.json(Json.write(Json.object().put("a", text)));
        assertThat(json.chars()).allMatch(c -> c >= 0x20 && c < 0x7f);
        assertThat(Json.tree(json).path("a").asString()).isEqualTo(text);
    }

    @Test
    void cut_leavesNoHalfCharacter() {
        assertThat(Printable.cut("abcdef", 6)).isEqualTo("abcdef");
        assertThat(Printable.cut("abcdefg", 6)).isEqualTo("abc...");
        assertThat(Printable.cut("ab\ud83d\ude00fghi", 6)).isEqualTo("ab...");
    }
}
