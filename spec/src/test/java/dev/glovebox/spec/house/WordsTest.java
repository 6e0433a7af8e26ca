package dev.glovebox.spec.house;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.spec.lab.SourceTree;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Words that do not belong in the tree: promises for later, paths of somebody's machine, where
/// packages were fetched from.
class WordsTest {
    /// Put together here, so that this file does not contain them.
    private static final Pattern LATER = Pattern.compile("\\b(TO" + "DO|FIX" + "ME|X" + "XX)\\b");

    private static final Pattern MACHINE_PATHS =
            Pattern.compile(
                    "(?<![\\w}.\\]-])/(wo"
                            + "rk/(main|shared|\\.)|tmp/g"
                            + "b/|ro"
                            + "ot/\\.|ho"
                            + "me/(?!agent))");

    private static final Pattern HOST = Pattern.compile("https?://([A-Za-z0-9.-]+)");

    /// Hosts that a build file may name: identifiers and licences, never where a package is fetched
    /// from.
    private static final Set<String> BUILD_HOSTS =
            Set.of("maven.apache.org", "www.apache.org", "www.w3.org");

    private static final Set<String> BUILD_FILES =
            Set.of(
                    "pom.xml",
                    "package.json",
                    "package-lock.json",
                    ".npmrc",
                    "settings.xml",
                    "maven.config",
                    "jvm.config");

    @Test
    void tree_hasNoNotesForLater() {
        assertThat(hits(LATER, texts().filter(WordsTest::isCode))).isEmpty();
    }

    @Test
    void tree_hasNoPathsOfAMachine() {
        assertThat(hits(MACHINE_PATHS, texts())).isEmpty();
    }

    @Test
    void buildFiles_nameNoRegistry() {
        List<Path> files =
                SourceTree.files().stream()
                        .filter(file -> BUILD_FILES.contains(file.getFileName().toString()))
                        .toList();
        assertThat(files).isNotEmpty();
        assertThat(files)
                .allSatisfy(file ->
                        assertThat(
                                        HOST.matcher(SourceTree.text(file))
                                                .results()
                                                .map(hit -> hit.group(1)))
                                .isSubsetOf(BUILD_HOSTS));
        assertThat(files)
                .filteredOn(file -> file.endsWith("package-lock.json"))
                .isNotEmpty()
                .allSatisfy(
                        file -> assertThat(SourceTree.text(file)).doesNotContain("\"resolved\""));
    }

    /// The style guide may name what it forbids.
    private static boolean isCode(Path file) {
        return !file.toString().endsWith(".md");
    }

    private static Stream<Path> texts() {
        return SourceTree.files().stream().filter(file -> !file.endsWith("WordsTest.java"));
    }

    private static List<String> hits(Pattern pattern, Stream<Path> files) {
        return files.flatMap(file ->
                        pattern.matcher(SourceTree.text(file))
                                .results()
                                .map(MatchResult::group)
                                .map(word -> file + ": " + word))
                .toList();
    }
}
