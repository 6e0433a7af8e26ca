package dev.glovebox.linux.mount;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.linux.KernelThread;
import dev.glovebox.linux.LinuxException;
import dev.glovebox.linux.UserNamespace;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Needs root.
class MountsIT {
    private static final long FIRST = 0x7800_0000L;

    @TempDir private Path directory;

    @Test
    void whatAPrivateNamespaceMountsIsNowhereElse() throws IOException {
        String before = Files.readString(Path.of("/proc/self/mountinfo"));

        List<MountInfo> inside =
                alone(() -> {
                    Mounts.tmpfs(directory, "size=1m,mode=700");
                    return mounts("/proc/thread-self/mountinfo");
                });

        assertThat(MountInfo.at(inside, directory.toString()))
                .get()
                .satisfies(m -> assertThat(m.options()).contains("rw", "nosuid", "nodev"));
        assertThat(Files.readString(Path.of("/proc/self/mountinfo"))).isEqualTo(before);
    }

    @Test
    void aBindHasItsFlagsAndARecursiveOneThoseBelowToo() throws IOException {
        Path source = Files.createDirectory(directory.resolve("source"));
        Path below = Files.createDirectory(source.resolve("below"));
        Path target = Files.createDirectory(directory.resolve("target"));

        List<MountInfo> inside =
                alone(() -> {
                    Mounts.tmpfs(below, "size=1m");
                    Mounts.bind(source, target, true);
                    return mounts("/proc/thread-self/mountinfo");
                });

        for (Path path : List.of(target, target.resolve("below"))) {
            assertThat(MountInfo.at(inside, path.toString()))
                    .get()
                    .satisfies(m -> assertThat(m.options()).contains("ro", "nosuid", "nodev"));
        }
    }

    @Test
    void aMappedBindShiftsOwnersAndChangesNoFile() throws IOException {
        Path source = Files.createDirectory(directory.resolve("source"));
        Path file = Files.writeString(source.resolve("file"), "x");
        Files.setAttribute(file, "unix:uid", 1000);
        Path target = Files.createDirectory(directory.resolve("target"));

        try (UserNamespace namespace = UserNamespace.create(FIRST, 65_536)) {
            Object shown =
                    alone(() -> {
                        Mounts.bindMapped(source, target, false, namespace);
                        return Files.getAttribute(target.resolve("file"), "unix:uid");
                    });

            assertThat(shown).isEqualTo((int) (FIRST + 1000));
        }
        assertThat(Files.getAttribute(file, "unix:uid")).isEqualTo(1000);
    }

    @Test
    void aFileSystemThatCannotBeMappedIsNamed() {
        Path proc = Path.of("/proc/sys");

        try (UserNamespace namespace = UserNamespace.create(FIRST, 65_536)) {
            assertThatThrownBy(() ->
                            alone(() -> {
                                Mounts.bindMapped(proc, directory, true, namespace);
                                return true;
                            }))
                    .isInstanceOf(LinuxException.class)
                    .hasMessageContaining("mount_setattr")
                    .hasMessageContaining("/proc/sys");
        }
    }

    /// A descriptor that a process inherits, as each that is being started has for a moment.
    @Test
    void whatIsOpenForWritingIsMadeReadOnlyOnceItIsClosed() throws IOException {
        List<String> said =
                alone(() -> {
                    Mounts.tmpfs(directory, "size=1m");
                    OutputStream open = Files.newOutputStream(directory.resolve("file"));
                    String refused = readOnly(Duration.ofMillis(1));
                    CompletableFuture<Void> _ =
                            CompletableFuture.runAsync(
                                    () -> close(open),
                                    CompletableFuture.delayedExecutor(50, TimeUnit.MILLISECONDS));
                    return List.of(refused, readOnly(Duration.ofSeconds(60)));
                });

        assertThat(said.getFirst()).startsWith("mount_setattr").contains("EBUSY");
        assertThat(said.getLast()).matches("(.*,)?ro(,.*)?");
    }

    /// What it then is, or why it could not be made so.
    private String readOnly(Duration deadline) throws IOException {
        try {
            Mounts.makeReadOnly(directory, deadline);
            return MountInfo.at(mounts("/proc/thread-self/mountinfo"), directory.toString())
                    .map(mount -> String.join(",", mount.options()))
                    .orElse("");
        } catch (LinuxException e) {
            return e.getMessage();
        }
    }

    private static void close(OutputStream stream) {
        try {
            stream.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void makingAUserNamespaceLeavesNoProcess() throws IOException {
        long before = children();

        try (UserNamespace namespace = UserNamespace.create(FIRST, 65_536)) {
            assertThat(namespace).isNotNull();
        }

        assertThat(children()).isEqualTo(before);
    }

    /// What a task does with mounts that nothing outside sees.
    private static <T> T alone(Callable<T> task) {
        return KernelThread.call(
                "mounts-it",
                () -> {
                    Mounts.privateNamespace();
                    return task.call();
                });
    }

    private static long children() throws IOException {
        return ProcessHandle.current().children().count();
    }

    private static List<MountInfo> mounts(String path) throws IOException {
        return MountInfo.parse(Files.readString(Path.of(path)));
    }
}
