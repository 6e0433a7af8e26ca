package dev.glovebox.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.linux.ConfinedTree.Attributes;
import dev.glovebox.linux.mount.Mounts;
import dev.glovebox.linux.mount.Overlay;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Needs root, for owners and device nodes.
class ConfinedTreeIT {
    private static final Attributes PLAIN = new Attributes(1000, 1001, 0644, 1_000_000_000);

    private static final long FIRST = 0x7900_0000L;

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

    /// Seen through an overlay of layers whose owners are shifted, as a sandbox has it.
    @Test
    void whiteoutsAndOpaqueDirectories_hideWhatLowerLayersHave() throws Exception {
        Path lower = Files.createDirectory(directory.resolve("lower"));
        for (String name : List.of("kept/old", "d/old")) {
            Files.createDirectories(lower.resolve(name).getParent());
            Files.writeString(lower.resolve(name), "old");
        }
        Files.writeString(lower.resolve("gone"), "old");
        try (ConfinedTree tree = ConfinedTree.open(inside)) {
            tree.attributes("", new Attributes(0, 0, 0755, 1));
            tree.directory("d", PLAIN);
            tree.opaque("d");
            tree.file("d/new", PLAIN, bytes("new"));
            tree.directory("kept", PLAIN);
            tree.whiteout("gone");
        }

        Set<String> seen = overlay(List.of(inside, lower));

        assertThat(seen).containsExactlyInAnyOrder("", "d", "d/new", "kept", "kept/old");
    }

    private Set<String> overlay(List<Path> layers) throws IOException {
        Path place = Files.createDirectory(directory.resolve("place"));
        try (UserNamespace ids = UserNamespace.create(FIRST, 65_536)) {
            return KernelThread.call(
                    "tree-it",
                    () -> {
                        Mounts.privateNamespace();
                        Mounts.tmpfs(place, "size=1m,mode=755,uid=" + FIRST + ",gid=" + FIRST);
                        List<Path> mapped = new ArrayList<>();
                        for (Path layer : layers) {
                            Path target = place.resolve("l" + mapped.size());
                            Mounts.bindMapped(layer, Files.createDirectory(target), true, ids);
                            mapped.add(target);
                        }
                        Path root = Files.createDirectory(place.resolve("root"));
                        Overlay.mount(root, mapped, Optional.empty(), FIRST);
                        try (Stream<Path> walk = Files.walk(root)) {
                            return walk.map(p -> root.relativize(p).toString())
                                    .collect(Collectors.toSet());
                        }
                    });
        }
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
