package dev.glovebox.workspace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Needs root, loop devices and ext4.
final class WorkspacesIT {
    @TempDir Path directory;

    private static final WorkspaceLimits SMALL = new WorkspaceLimits(32L << 20, 2000);

    @Test
    void aWorkspaceBelongsToTheAgentAndOnlyRootCanReachIt() throws IOException {
        try (Workspace made = small().open("sesn_1")) {
            assertThat(Files.getAttribute(made.directory(), "unix:uid")).isEqualTo(1000);
            assertThat(Files.getAttribute(made.directory(), "unix:gid")).isEqualTo(1000);
            assertThat(made.directory()).isEmptyDirectory();
        }
        assertThat(Files.getPosixFilePermissions(root())).hasSize(3);
    }

    @Test
    void aWorkspaceIsFoundAgainWithItsFiles() throws IOException {
        try (Workspace first = small().open("sesn_1")) {
            Files.writeString(first.directory().resolve("a.txt"), "kept");
        }
        try (Workspace again = small().open("sesn_1")) {
            assertThat(again.directory().resolve("a.txt")).hasContent("kept");
        }
    }

    @Test
    void whereAWorkspaceIsIsToldWhileItIsOpen() {
        Workspaces workspaces = small();
        assertThat(workspaces.whereOpen("sesn_1")).isEmpty();
        try (Workspace open = workspaces.open("sesn_1")) {
            assertThat(small().whereOpen("sesn_1")).contains(open.directory());
        }
        assertThat(workspaces.whereOpen("sesn_1")).isEmpty();
    }

    /// What makes a walk by paths fail, or never end.
    @Test
    void aTreeOfTenThousandLevelsAndAHundredThousandFilesIsRemoved() throws Exception {
        Workspaces plain = Workspaces.open(root(), Optional.empty());
        try (Workspace made = plain.open("sesn_1")) {
            String script =
                    """
                    import os, sys
                    os.chdir(sys.argv[1])
                    for i in range(100000): open('f%d' % i, 'w').close()
                    for i in range(10000): os.mkdir('d'); os.chdir('d')
                    """;
            Process maker =
                    new ProcessBuilder("python3", "-c", script, made.directory().toString())
                            .inheritIO()
                            .start();
            assertThat(maker.waitFor()).isZero();
            assertThat(made.directory().resolve("d/d/d")).isDirectory();
            assertThat(made.directory().resolve("f99999")).exists();
        }

        plain.delete("sesn_1");

        assertThat(root().resolve("sesn_1")).doesNotExist();
        assertThat(plain.known()).isEmpty();
    }

    /// B5: to within five percent, and what is deleted can be written again.
    @Test
    void aDiskFillerMeetsTheEndOfItsOwnDisk() throws IOException {
        try (Workspace workspace = small().open("sesn_1")) {
            Path file = workspace.directory().resolve("fill");
            for (int round = 0; round < 2; round++) {
                assertThatThrownBy(() -> fill(file)).hasMessageContaining("No space left");
                assertThat(Files.size(file))
                        .isBetween(SMALL.bytes() * 95 / 100, SMALL.bytes() * 105 / 100);
                Files.delete(file);
            }
        }
    }

    /// B6
    @Test
    void anInodeFillerMeetsTheEndOfItsOwnInodes() throws IOException {
        try (Workspace workspace = small().open("sesn_1")) {
            AtomicInteger made = new AtomicInteger();
            assertThatThrownBy(
                            () -> {
                                while (made.get() < 10_000) {
                                    Path file = workspace.directory().resolve("f" + made.get());
                                    Files.createFile(file);
                                    made.incrementAndGet();
                                }
                            })
                    .hasMessageContaining("No space left");
            assertThat(made.get()).isBetween(1900, 2100);
        }
    }

    @Test
    void whatAnAgentDeletesIsFreeOnTheHostAgain() throws Exception {
        try (Workspace workspace = small().open("sesn_1")) {
            Path image = root().resolve(".disks/sesn_1/image");
            Path file = workspace.directory().resolve("fill");
            assertThatThrownBy(() -> fill(file)).hasMessageContaining("No space left");
            sync(workspace);
            assertThat(allocated(image)).isGreaterThan(SMALL.bytes() * 9 / 10);
            Files.delete(file);
            sync(workspace);
            long end = System.nanoTime() + 60_000_000_000L;
            while (allocated(image) > SMALL.bytes() / 4) {
                assertThat(System.nanoTime()).isLessThan(end);
                sync(workspace);
            }
        }
    }

    @Test
    void aWorkspaceIsOpenOnceAtATime() {
        try (Workspace _ = small().open("sesn_1")) {
            assertThatThrownBy(() -> small().open("sesn_1")).hasMessageContaining("is open");
            assertThatThrownBy(() -> small().delete("sesn_1")).hasMessageContaining("is open");
        }
        small().open("sesn_1").close();
    }

    /// As after kill -9: the lock is gone, the mount is not.
    @Test
    void whatAKilledWorkerLeftMountedIsUnmountedByTheNextAndNothingElse() throws Exception {
        Workspace killed = small().open("sesn_1");
        Path mount = killed.directory();
        Files.writeString(mount.resolve("a.txt"), "kept");
        run("mount", "--bind", mount.toString(), mount.toString());
        killed.close(); // lets the lock go and takes away the upper of the two mounts
        assertThat(mount.resolve("a.txt")).hasContent("kept");
        Files.createDirectory(root().resolve(".disks/.new-1"));
        try (Workspace living = small().open("sesn_2")) {

            Workspaces next = small();

            assertThat(mount).isEmptyDirectory();
            assertThat(root().resolve(".disks/.new-1")).doesNotExist();
            Files.writeString(living.directory().resolve("b.txt"), "still there");
            try (Workspace again = next.open("sesn_1")) {
                assertThat(again.directory().resolve("a.txt")).hasContent("kept");
            }
        }
    }

    @Test
    void aClosedWorkspaceLeavesNoMountAndNoDevice() throws IOException {
        Path image = root().resolve(".disks/sesn_1/image");
        try (Workspace _ = small().open("sesn_1")) {
            assertThat(backingFiles()).contains(image.toString());
            assertThat(Files.readString(Path.of("/proc/self/mountinfo")))
                    .containsPattern(
                            image.resolveSibling("mount")
                                    + " rw,nosuid,nodev[^\n]* ext4 /dev/loop");
        }
        assertThat(backingFiles()).doesNotContain(image.toString());
        assertThat(Files.readString(Path.of("/proc/self/mountinfo")))
                .doesNotContain(image.resolveSibling("mount").toString());
    }

    @Test
    void aPlainDirectoryOfEarlierOpensAsItIs() throws IOException {
        Path plain;
        try (Workspace made = Workspaces.open(root(), Optional.empty()).open("sesn_1")) {
            plain = made.directory();
            Files.writeString(plain.resolve("a.txt"), "kept");
        }
        try (Workspace again = small().open("sesn_1")) {
            assertThat(again.directory()).isEqualTo(plain);
            assertThat(again.directory().resolve("a.txt")).hasContent("kept");
        }
    }

    /// C30 By whoever, of this process or another; two sandboxes can have it open.
    @Test
    void aPlainDirectoryThatIsOpenIsNotDeleted() {
        Workspaces plain = Workspaces.open(directory, Optional.empty());
        Workspace first = plain.open("s1");
        Workspace second = Workspaces.open(directory, Optional.empty()).open("s1");
        first.close();

        assertThat(plain.known()).singleElement().matches(Workspaces.Known::open);
        assertThatThrownBy(() -> plain.delete("s1")).hasMessageContaining("is open");
        assertThat(second.directory()).isDirectory();

        second.close();
        assertThat(plain.known()).singleElement().matches(known -> !known.open());
        plain.delete("s1");
        assertThat(plain.known()).isEmpty();
        plain.open("s1").close();
    }

    @Test
    void whatIsOnlyLookedAtIsNotMade() {
        Path typo = directory.resolve("typo");

        assertThatThrownBy(() -> Workspaces.existing(typo))
                .hasMessageContaining("no workspaces in");

        assertThat(typo).doesNotExist();
        Workspaces.open(directory);
        assertThat(Workspaces.existing(directory).known()).isEmpty();
    }

    @Test
    void anImageInAPlainDirectoryIsNeverMounted() throws IOException {
        try (Workspace made = Workspaces.open(root(), Optional.empty()).open("sesn_1")) {
            Files.createDirectory(made.directory().resolve("mount"));
            Files.writeString(made.directory().resolve("image"), "of the agent");
        }
        try (Workspace again = small().open("sesn_1")) {
            assertThat(again.directory().resolve("image")).hasContent("of the agent");
            assertThat(again.directory().resolve("mount")).isEmptyDirectory();
        }
    }

    @Test
    void deletingAWorkspaceDoesNotFollowALinkPlantedInIt() throws IOException {
        Path outside = Files.createDirectory(directory.resolve("outside"));
        Files.writeString(outside.resolve("canary"), "alive");
        for (Workspaces workspaces : List.of(small(), Workspaces.open(root(), Optional.empty()))) {
            try (Workspace planted = workspaces.open("sesn_1")) {
                Files.createSymbolicLink(planted.directory().resolve("link"), outside);
                Files.writeString(planted.directory().resolve("own"), "goes");
            }

            workspaces.delete("sesn_1");

            assertThat(outside.resolve("canary")).hasContent("alive");
            assertThat(root().resolve("sesn_1")).doesNotExist();
            assertThat(root().resolve(".disks/sesn_1")).doesNotExist();
            workspaces.delete("sesn_1");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".", "..", "../up", "a/b", ".hidden", "a\0b", "a\nb", "über"})
    void aNameThatCouldLeadElsewhereIsRefused(String id) {
        assertThatThrownBy(() -> small().open(id))
                .isInstanceOf(WorkspaceException.class)
                .hasMessageContaining("is no name for a workspace");
    }

    @Test
    void anIdOfMoreThan128LettersIsRefused() {
        assertThatThrownBy(() -> small().open("a".repeat(129)))
                .isInstanceOf(WorkspaceException.class);
    }

    private Path root() {
        return directory.resolve("w");
    }

    private Workspaces small() {
        return Workspaces.open(root(), Optional.of(SMALL));
    }

    private static void fill(Path file) throws IOException {
        byte[] chunk = new byte[64 * 1024];
        try (OutputStream out = Files.newOutputStream(file)) {
            for (long written = 0; written < 4 * SMALL.bytes(); written += chunk.length) {
                out.write(chunk);
            }
        }
    }

    private static void sync(Workspace workspace) throws Exception {
        run("sync", "--file-system", workspace.directory().toString());
    }

    private static long allocated(Path file) throws Exception {
        Process stat =
                new ProcessBuilder("stat", "--format", "%b", file.toString())
                        .redirectErrorStream(true)
                        .start();
        return 512
                * Long.parseLong(
                        new String(stat.getInputStream().readAllBytes(), StandardCharsets.US_ASCII)
                                .strip());
    }

    private static void run(String... words) throws Exception {
        assertThat(new ProcessBuilder(words).inheritIO().start().waitFor()).isZero();
    }

    private static Set<String> backingFiles() throws IOException {
        Set<String> files = new TreeSet<>();
        try (DirectoryStream<Path> devices =
                Files.newDirectoryStream(Path.of("/sys/block"), "loop*")) {
            for (Path device : devices) {
                Path file = device.resolve("loop/backing_file");
                if (Files.exists(file)) {
                    files.add(Files.readString(file).strip());
                }
            }
        }
        return files;
    }
}
