package dev.glovebox.worker.glob;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GlobPatternTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "*.js;a.js;true",
                "*.js;.a.js;false",
                ".*;.a;true",
                "?.js;ab.js;false",
                "[ab].js;b.js;true",
                "[!ab].js;b.js;false",
                "[^ab].js;c.js;true",
                "[a-c];b;true",
                "[a-c];-;false",
                "[]a];];true",
                "[[:digit:]];7;true",
                "[a;[a;true",
                "+(a|b).js;abba.js;true",
                "+(a|b).js;.js;false",
                "?(a).js;.js;false",
                "@(a|b);ab;false",
                "*(a|b);ab;true",
                "!(a).js;a.js;false",
                "!(a).js;b.js;true",
                "!(a);ab;true",
                "a.js;a.js;true",
                "a.js;aXjs;false",
                "a(b);a(b);true",
                "a|b;a|b;true",
                "$^.js;$^.js;true",
                "*;x y\u00e9;true",
                "*;.git;false"
            })
    void aSegmentFitsOrNot(String glob, String name, boolean fits) {
        assertThat(GlobPattern.parse(glob).getFirst().segments().getFirst().matches(name))
                .isEqualTo(fits);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "a;a",
                "{a,b};a b",
                "x{a,b}y;xay xby",
                "{a,{b,c}};a b c",
                "{1..3};1 2 3",
                "{3..1};3 2 1",
                "{a..c};a b c",
                "{a};{a}",
                "{a;{a",
                "a};a}",
                "{};{}",
                "{a,b}{c,d};ac ad bc bd",
                "{,x}y;y xy"
            })
    void bracesStandForTheirAlternatives(String glob, String expected) {
        List<String> plain = new ArrayList<>();
        BraceExpansion.expand(glob, 100, plain);

        assertThat(plain).containsExactly(expected.split(" ", -1));
    }

    @ParameterizedTest
    @CsvSource({"'{1..100000}'", "'{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}'"})
    void refusesAPatternThatExplodes(String glob) {
        assertThatThrownBy(() -> GlobPattern.parse(glob)).isInstanceOf(PatternException.class);
    }

    @Test
    void refusesAPatternThatWouldMatchForEver() {
        GlobPattern.Segment segment =
                GlobPattern.parse("+(+(+(+(a))))b").getFirst().segments().getFirst();

        assertThat(segment.matches("aab")).isTrue();
        assertThatThrownBy(() -> segment.matches("a".repeat(200)))
                .isInstanceOf(PatternException.class);
        assertThatThrownBy(() -> GlobPattern.parse("@(".repeat(2000)))
                .isInstanceOf(PatternException.class);
        assertThatThrownBy(() -> GlobPattern.parse("a".repeat(5000)))
                .isInstanceOf(PatternException.class);
    }

    @Test
    void segmentsAreCutAtSlashesOfBothKinds() {
        assertThat(GlobPattern.parse("./a//b\\**/**/c").getFirst().segments())
                .containsExactly(
                        new GlobPattern.Literal("a"),
                        new GlobPattern.Literal("b"),
                        new GlobPattern.AnyDepth(),
                        new GlobPattern.Literal("c"));
    }
}
