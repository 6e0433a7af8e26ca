package dev.glovebox.workspace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.linux.Trees;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Files out of workspaces that agents have filled with traps. Needs root, loop devices and ext4.
@Timeout(120)
final class CopyOutIT {
    private static final long MOST = 64L << 20;

    @TempDir Path directory;

    @Test
    void filesOfAClosedWorkspaceAreCopiedAndItStaysAsItWas() throws IOException {
        try (Workspace made = small().open("sesn_1")) {
            Files.createDirectories(made.directory().resolve("a/b"));
            Files.writeString(made.directory().resolve("a/b/deep.txt"), "deep");
            Path tool = Files.writeString(made.directory().resolve("a/tool"), "run");
            Files.setPosixFilePermissions(tool, PosixFilePermissions.fromString("rwxrwxrwx"));
        }
        assertThat(small().known())
                .singleElement()
                .satisfies(one -> {
                    assertThat(one.id()).isEqualTo("sesn_1");
                    assertThat(one.open()).isFalse();
                    assertThat(one.diskBytes()).isPresent();
                });

        assertThat(copy("sesn_1", "a", "out")).isEqualTo(new CopyOut.Result(2, 7, 0));
        assertThat(copy("sesn_1", "a/b/deep.txt", "one.txt").files()).isEqualTo(1);

        assertThat(directory.resolve("out/b/deep.txt")).hasContent("deep");
        assertThat(directory.resolve("one.txt")).hasContent("deep");
        assertThat(
                        PosixFilePermissions.toString(
                                Files.getPosixFilePermissions(directory.resolve("out/tool"))))
                .isEqualTo("rwxr-xr-x");
        assertThat(Files.getAttribute(directory.resolve("out/tool"), "unix:uid"))
                .isEqualTo(Files.getAttribute(directory, "unix:uid"));
        assertThat(small().whereOpen("sesn_1")).isEmpty();
        try (Workspace again = small().open("sesn_1")) {
            Files.writeString(again.directory().resolve("new"), "it can be written again");
        }
    }

    @Test
    void aClosedWorkspaceIsLookedIntoReadOnlyAndNoSessionHasItMeanwhile() throws IOException {
        small().open("sesn_1").close();
        try (Workspace looked = small().look("sesn_1")) {
            assertThatThrownBy(() -> Files.writeString(looked.directory().resolve("x"), ""))
                    .hasMessageContaining("Read-only");
            assertThatThrownBy(() -> small().open("sesn_1")).hasMessageContaining("is open");
        }
    }

    @Test
    void ofAnOpenWorkspaceWhatIsThereNowIsCopied() throws IOException {
        try (Workspace open = small().open("sesn_1")) {
            Files.writeString(open.directory().resolve("live.txt"), "now");
            assertThat(copy("sesn_1", "live.txt", "live.txt").bytes()).isEqualTo(3);
            Files.writeString(open.directory().resolve("live.txt"), "it is still open");
        }
        assertThat(directory.resolve("live.txt")).hasContent("now");
    }

    /// Links out, through `/proc` and up; things that wait, act or have no end; the control is the
    /// plain file beside them.
    @Test
    void noTrapLeadsACopyOutOfTheWorkspaceOrHoldsItUp() throws Exception {
        Path secret = Files.writeString(directory.resolve("secret"), "of the host");
        try (Workspace made = small().open("sesn_1")) {
            Path in = made.directory();
            Files.writeString(in.resolve("plain"), "plain");
            Files.createSymbolicLink(in.resolve("absolute"), secret);
            Files.createSymbolicLink(in.resolve("up"), Path.of("../../../../secret"));
            Files.createSymbolicLink(in.resolve("proc"), Path.of("/proc/self/root"));
            Files.createSymbolicLink(in.resolve("etc"), Path.of("/etc"));
            run("mkfifo", in.resolve("fifo"));
            run("mknod", in.resolve("zero"), "c", "1", "5");
            run("mknod", in.resolve("disk"), "b", "7", "0");
        }

        CopyOut.Result all = copy("sesn_1", "", "out");

        assertThat(all).isEqualTo(new CopyOut.Result(1, 5, 7));
        try (Stream<Path> out = Files.list(directory.resolve("out"))) {
            assertThat(out).singleElement().satisfies(one -> assertThat(one).hasContent("plain"));
        }
        for (String path :
                new String[] {"absolute", "up", "proc", "etc/passwd", "../image", "fifo", "zero"}) {
            assertThatThrownBy(() -> copy("sesn_1", path, "trap"))
                    .isInstanceOf(WorkspaceException.class);
            assertThat(directory.resolve("trap")).doesNotExist();
        }
    }

    /// A directory that is a link to the host's every other moment.
    @Test
    void aDirectoryThatIsSwappedForALinkWhileItIsCopiedBringsNothingOfTheHost() throws Exception {
        Path host = Files.createDirectory(directory.resolve("host"));
        Files.writeString(host.resolve("name"), "of the host");
        AtomicBoolean end = new AtomicBoolean();
        try (Workspace open = small().open("sesn_1")) {
            Path in = open.directory();
            Files.writeString(Files.createDirectory(in.resolve("kept")).resolve("name"), "agent's");
            Files.createSymbolicLink(in.resolve("link"), host);
            Thread swapper =
                    Thread.ofPlatform()
                            .start(() -> {
                                while (!end.get()) {
                                    swap(in.resolve("kept"), in.resolve("d"));
                                    swap(in.resolve("d"), in.resolve("kept"));
                                    swap(in.resolve("link"), in.resolve("d"));
                                    swap(in.resolve("d"), in.resolve("link"));
                                }
                            });
            for (int i = 0; i < 100; i++) {
                copy("sesn_1", "", "out" + i);
                Path copied = directory.resolve("out" + i + "/d");
                assertThat(Files.isSymbolicLink(copied)).isFalse();
                if (Files.exists(copied.resolve("name"))) {
                    assertThat(copied.resolve("name")).hasContent("agent's");
                }
            }
            end.set(true);
            swapper.join();
        }
    }

    @Test
    void aCopyHasAnEndAndOverwritesNothing() throws IOException {
        try (Workspace made = small().open("sesn_1")) {
            Files.writeString(made.directory().resolve("ten"), "0123456789");
            run("truncate", "-s", "30M", made.directory().resolve("holes"));
        }

        assertThatThrownBy(
                        () -> {
                            try (Workspace from = small().look("sesn_1")) {
                                CopyOut.copy(from, "holes", directory.resolve("holes"), 1 << 20);
                            }
                        })
                .hasMessageContaining("more than 1048576 bytes");
        assertThat(directory.resolve("holes"))
                .satisfies(p -> assertThat(Files.size(p)).isLessThanOrEqualTo(1 << 20));

        Path there = Files.writeString(directory.resolve("there"), "mine");
        assertThatThrownBy(() -> copy("sesn_1", "ten", "there"))
                .hasMessageContaining("there already");
        assertThat(there).hasContent("mine");
        assertThatThrownBy(() -> copy("sesn_2", "ten", "ten")).hasMessageContaining("no workspace");
    }

    /// 3,000 levels: what the kernel cannot be asked for in one path is left out.
    @Test
    void aDirectoryTooDeepForAPathIsCopiedAsFarAsOneReaches() throws IOException {
        try (Workspace made = small().open("sesn_1")) {
            Files.createDirectory(made.directory().resolve("a"));
            Files.writeString(made.directory().resolve("plain"), "plain");
            run(
                    "python3",
                    "-c",
                    "import os, sys\nos.chdir(sys.argv[1])\nfor i in range(3000): os.mkdir('d'); os.chdir('d')",
                    made.directory().resolve("a"));
        }

        assertThat(copy("sesn_1", "", "out")).isEqualTo(new CopyOut.Result(1, 5, 1));
        try (Workspace open = small().open("sesn_1")) {
            assertThat(open.directory().resolve("plain")).exists();
        }
        Trees.remove(directory.resolve("out"));
    }

    private CopyOut.Result copy(String id, String path, String to) {
        try (Workspace from = small().look(id)) {
            return CopyOut.copy(from, path, directory.resolve(to), MOST);
        }
    }

    private Workspaces small() {
        return Workspaces.open(
                directory.resolve("root"), Optional.of(new WorkspaceLimits(32L << 20, 5000)));
    }

    private static void swap(Path from, Path to) {
        try {
            Files.move(from, to);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void run(Object... words) throws IOException {
        try {
            Process process =
                    new ProcessBuilder(Stream.of(words).map(Object::toString).toList()).start();
            assertThat(process.waitFor()).isZero();
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }
}
