package dev.glovebox.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.linux.ConfinedTree.Attributes;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Needs root, for owners and device nodes.
class ConfinedTreeIT {
    private static final Attributes PLAIN = new Attributes(1000, 1001, 0644, 1_000_000_000);

    @TempDir private Path directory;
    private Path inside;
    private Path canary;

    @BeforeEach
    void plant() throws IOException {
        inside = Files.createDirectory(directory.resolve("tree"));
        Path outside = Files.createDirectory(directory.resolve("outside"));
        canary = Files.writeString(outside.resolve("canary"), "untouched");
    }

    @Test
    void whatIsMade_hasItsContentOwnerModeAndTime() throws IOException {
        try (ConfinedTree tree = ConfinedTree.open(inside)) {
            tree.directory("a", new Attributes(0, 0, 0750, 5));
            tree.directory("a/b", new Attributes(7, 8, 01777, 6));
            tree.file("a/b/f", new Attributes(1000, 65_535, 06755, 7), bytes("content"));
            tree.symbolicLink("a/l", "/etc/passwd", new Attributes(3, 4, 0777, 8));
            tree.hardLink("a/h", "a/b/f");
            tree.attributes("a", new Attributes(1, 2, 0700, 9));
            tree.sync();
        }

        assertThat(facts("a")).containsEntry("uid", 1).containsEntry("gid", 2);
        assertThat(mode("a")).isEqualTo(0700);
        assertThat(mode("a/b")).isEqualTo(01777);
        assertThat(facts("a/b/f")).containsEntry("uid", 1000).containsEntry("gid", 65_535);
        assertThat(mode("a/b/f")).as("without set-user-ID and set-group-ID").isEqualTo(0755);
        assertThat(Files.getLastModifiedTime(inside.resolve("a/b/f")).to(TimeUnit.SECONDS))
                .isEqualTo(7);
        assertThat(facts("a/l")).containsEntry("uid", 3).containsEntry("gid", 4);
        assertThat(Files.readSymbolicLink(inside.resolve("a/l"))).hasToString("/etc/passwd");
        assertThat(Files.isSameFile(inside.resolve("a/h"), inside.resolve("a/b/f"))).isTrue();
        assertThat(inside.resolve("a/h")).hasContent("content");
    }

    /// The control is the same write to a way without a link, in the same tree.
    @Test
    void aWayThroughALinkOrOut_isRefusedAndTheCanaryIsUntouched() throws IOException {
        try (ConfinedTree tree = ConfinedTree.open(inside)) {
            tree.symbolicLink("out", canary.getParent().toString(), PLAIN);
            tree.symbolicLink("up", "..", PLAIN);
            tree.symbolicLink("file", canary.toString(), PLAIN);
            for (String way :
                    List.of(
                            "out/planted",
                            "up/planted",
                            "out/canary",
                            "file",
                            "../planted",
                            "up/outside/canary",
                            "/tmp/planted")) {
                assertThatThrownBy(() -> tree.file(way, PLAIN, bytes("evil")))
                        .as(way)
                        .isInstanceOf(LinuxException.class);
                assertThatThrownBy(() -> tree.directory(way, PLAIN))
                        .as(way)
                        .isInstanceOf(LinuxException.class);
                assertThatThrownBy(() -> tree.whiteout(way))
                        .as(way)
                        .isInstanceOf(LinuxException.class);
            }
            for (String way : List.of("out", "up", "file", "..", "../outside")) {
                assertThatThrownBy(() -> tree.attributes(way, new Attributes(9, 9, 0777, 1)))
                        .as(way)
                        .isInstanceOf(LinuxException.class);
            }
            assertThatThrownBy(() -> tree.hardLink("stolen", "out/canary"))
                    .isInstanceOf(LinuxException.class);
            tree.file("in", PLAIN, bytes("fine"));
        }

        assertThat(canary).hasContent("untouched");
        assertThat(canary.getParent()).isDirectoryNotContaining(p -> !p.equals(canary));
        assertThat(directory).isDirectoryNotContaining(p -> p.endsWith("planted"));
        assertThat(inside.resolve("in")).hasContent("fine");
    }

    @Test
    void whatIsThere_isNeverWrittenAgain() throws IOException {
        try (ConfinedTree tree = ConfinedTree.open(inside)) {
            tree.file("f", PLAIN, bytes("first"));
            assertThatThrownBy(() -> tree.file("f", PLAIN, bytes("second")))
                    .hasMessageContaining("EEXIST");
            assertThatThrownBy(() -> tree.symbolicLink("f", "x", PLAIN))
                    .hasMessageContaining("EEXIST");
            assertThatThrownBy(() -> tree.file("n\0/../x", PLAIN, bytes("")))
                    .isInstanceOf(LinuxException.class);
            assertThatThrownBy(() -> tree.file("x".repeat(256), PLAIN, bytes("")))
                    .hasMessageContaining("ENAMETOOLONG");
        }
        assertThat(inside.resolve("f")).hasContent("first");
    }

    @Test
    void whiteoutsAndOpaqueDirectories_areThoseOfAnOverlay() throws Exception {
        try (ConfinedTree tree = ConfinedTree.open(inside)) {
            tree.directory("d", PLAIN);
            tree.whiteout("d/gone");
            tree.opaque("d");
        }
        assertThat(facts("d/gone")).containsEntry("rdev", 0L);
        assertThat(mode("d/gone")).isZero();
        assertThat(Files.getAttribute(inside.resolve("d"), "user:overlay.opaque"))
                .isEqualTo("y".getBytes(StandardCharsets.US_ASCII));
    }

    private Map<String, Object> facts(String path) throws IOException {
        return Files.readAttributes(inside.resolve(path), "unix:*", LinkOption.NOFOLLOW_LINKS);
    }

    private int mode(String path) throws IOException {
        return (int) facts(path).get("mode") & 07777;
    }

    private static InputStream bytes(String text) {
        return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
    }
}
