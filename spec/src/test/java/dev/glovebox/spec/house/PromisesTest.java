package dev.glovebox.spec.house;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.spec.lab.SourceTree;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/// Every promise row of SPECIFICATION.md names a test or a benchmark that exists.
class PromisesTest {
    private static final Path SPECIFICATION = Path.of("SPECIFICATION.md");
    private static final Pattern PROOF =
            Pattern.compile("`(\\w+(?:Test|IT|Properties)|Bench\\w+|\\w+\\.sh)(?:[.#]\\w+)?`");

    @Test
    void everyPromise_namesAProofThatExists() {
        assertThat(Files.isRegularFile(SourceTree.root().resolve(SPECIFICATION)))
                .as("SPECIFICATION.md exists")
                .isTrue();
        List<String> rows =
                SourceTree.text(SPECIFICATION)
                        .lines()
                        .filter(line -> line.startsWith("|"))
                        .filter(line -> !line.matches("\\|[\\s|:-]+\\|"))
                        .filter(line ->
                                !line.toLowerCase(java.util.Locale.ROOT)
                                        .matches("\\|\\s*promise\\s*\\|.*"))
                        .toList();
        Set<String> names =
                SourceTree.files().stream()
                        .map(file -> file.getFileName().toString().replaceFirst("\\.java$", ""))
                        .collect(Collectors.toSet());
        assertThat(rows).isNotEmpty();
        assertThat(rows)
                .allSatisfy(row -> {
                    List<String> proofs =
                            PROOF.matcher(row).results().map(PromisesTest::name).toList();
                    assertThat(proofs).as("proof named by %s", row).isNotEmpty();
                    assertThat(names).containsAll(proofs);
                });
    }

    private static String name(MatchResult hit) {
        return hit.group(1);
    }
}
