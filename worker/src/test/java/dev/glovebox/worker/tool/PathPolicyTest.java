package dev.glovebox.worker.tool;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PathPolicyTest {
    @ParameterizedTest
    @CsvSource({
        "a, /w/a",
        "./a/../b, /w/b",
        "../../.., /",
        "/etc/../w/x, /w/x",
        "a//b/, /w/a/b",
        "'', /w",
        "'a\nb', '/w/a\nb'"
    })
    void pathsAreCollapsedInTheText(String path, String expected) {
        assertThat(PathPolicy.normal("/w", path)).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({"/w, true", "/w/a, true", "/wa, false", "/, false", "/w/../x, true"})
    void aPathLiesInADirectoryByItsText(String path, boolean inside) {
        assertThat(PathPolicy.contains("/w", path)).isEqualTo(inside);
    }
}
