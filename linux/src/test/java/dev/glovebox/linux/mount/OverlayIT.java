package dev.glovebox.linux.mount;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.linux.KernelThread;
import dev.glovebox.linux.UserNamespace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Needs root.
class OverlayIT {
    private static final long FIRST = 0x7800_0000L;

    @TempDir private Path directory;
    private Path lower;
    private Path disk;
    private Path place;

    @BeforeEach
    void layers() throws IOException {
        lower = Files.createDirectory(directory.resolve("lower"));
        Files.writeString(lower.resolve("a"), "lower");
        Files.createDirectory(lower.resolve("kept"));
        disk = Files.createDirectory(directory.resolve("disk"));
        Files.createDirectory(disk.resolve("upper"));
        Files.createDirectory(disk.resolve("work"));
        place = Files.createDirectory(directory.resolve("place"));
    }

    @Test
    void whatIsWrittenLandsOnDiskWithIdsOfTheSandbox() throws IOException {
        try (UserNamespace ids = UserNamespace.create(FIRST, 65_536)) {
            KernelThread.call(
                    "overlay-it",
                    () -> {
                        Path root = stage(ids);
                        Files.writeString(root.resolve("a"), "changed");
                        Files.setAttribute(root.resolve("kept"), "unix:uid", (int) FIRST + 1000);
                        assertThat(Files.getAttribute(root.resolve("a"), "unix:uid"))
                                .isEqualTo((int) FIRST);
                        return root;
                    });
        }

        assertThat(lower.resolve("a")).hasContent("lower");
        assertThat(disk.resolve("upper/a")).hasContent("changed");
        assertThat(Files.getAttribute(disk.resolve("upper/a"), "unix:uid")).isEqualTo(0);
        assertThat(Files.getAttribute(disk.resolve("upper/kept"), "unix:uid")).isEqualTo(1000);
    }

    @Test
    void theThreadIsWhatItWasAfterwards() {
        try (UserNamespace ids = UserNamespace.create(FIRST, 65_536)) {
            List<String> lines =
                    KernelThread.call(
                            "overlay-it",
                            () -> {
                                List<String> before = credentials();
                                stage(ids);
                                assertThat(credentials()).isEqualTo(before);
                                return before;
                            });
            assertThat(lines).hasSize(7);
        }
    }

    @Test
    void aPathThatWouldBeReadAsAnotherOptionIsRefused() {
        assertThatThrownBy(() ->
                        Overlay.mount(place, List.of(Path.of("/a:b")), Optional.empty(), FIRST))
                .isInstanceOf(IllegalArgumentException.class);
    }

    private Path stage(UserNamespace ids) throws IOException {
        Mounts.privateNamespace();
        Mounts.tmpfs(place, "size=1m,mode=755,uid=" + FIRST + ",gid=" + FIRST);
        Path mappedLower = Files.createDirectory(place.resolve("lower"));
        Mounts.bindMapped(lower, mappedLower, true, ids);
        Path mappedDisk = Files.createDirectory(place.resolve("disk"));
        Mounts.bindMapped(disk, mappedDisk, false, ids);
        Path root = Files.createDirectory(place.resolve("root"));
        Overlay.mount(
                root,
                List.of(mappedLower),
                Optional.of(
                        new Overlay.Writable(
                                mappedDisk.resolve("upper"), mappedDisk.resolve("work"))),
                FIRST);
        return root;
    }

    private static List<String> credentials() throws IOException {
        return Files.readAllLines(Path.of("/proc/thread-self/status")).stream()
                .filter(l -> l.startsWith("Uid") || l.startsWith("Gid") || l.startsWith("Cap"))
                .toList();
    }
}
