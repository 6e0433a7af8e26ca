package dev.glovebox.linux.mount;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.linux.HeldFile;
import dev.glovebox.linux.KernelThread;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MountNamespaceIT {
    @TempDir Path directory;

    /// What was not asked for is not there, what was is, and what is taken along is too.
    @Test
    void aCopyHasWhatWasKeptAndWhatIsTakenAlong() throws Exception {
        Path kept = mounted("kept");
        Path other = mounted("other");
        try (MountNamespace namespace =
                MountNamespace.of(mount ->
                        kept.toString().startsWith(mount.target())
                                || mount.target().equals("/proc"))) {
            Path later = mounted("later");
            try {
                List<Boolean> seen =
                        KernelThread.call(
                                "copy",
                                () -> {
                                    try (DetachedMount taken = DetachedMount.of(later)) {
                                        namespace.enterCopy();
                                        boolean lacksLater = !Files.exists(later.resolve("later"));
                                        taken.attach(later, true);
                                        return List.of(
                                                Files.exists(kept.resolve("kept")),
                                                !Files.exists(other.resolve("other")),
                                                lacksLater,
                                                Files.exists(later.resolve("later")),
                                                MountInfo.ofThisThread().size() <= 4);
                                    }
                                });
                assertThat(seen).containsOnly(true);
                assertThat(Files.exists(other.resolve("other"))).as("on the host").isTrue();
            } finally {
                Mounts.detach(later);
            }
        } finally {
            Mounts.detach(kept);
            Mounts.detach(other);
        }
    }

    /// A file held open means the same file where its mount is not seen.
    @Test
    void aHeldFileIsReachedFromAnywhere() throws Exception {
        Path place = mounted("place");
        try (MountNamespace namespace =
                        MountNamespace.of(mount -> List.of("/", "/proc").contains(mount.target()));
                HeldFile held = HeldFile.open(place.resolve("place"))) {
            String read =
                    KernelThread.call(
                            "held",
                            () -> {
                                namespace.enterCopy();
                                return Files.readString(held.path());
                            });
            assertThat(read).isEqualTo("place");
        } finally {
            Mounts.detach(place);
        }
    }

    /// Overwriting a runtime through `/proc/PID/exe` or `/proc/PID/fd`, as a hostile container did
    /// (CVE-2019-5736).
    @Test
    void aSealedProgramRunsAndCannotBeChangedByRoot() throws Exception {
        Path program = Files.copy(Path.of("/bin/true"), directory.resolve("program"));
        try (HeldFile sealed = HeldFile.sealedCopy(program)) {
            Process process = new ProcessBuilder(sealed.path().toString()).start();
            assertThat(process.waitFor()).isZero();
            Files.writeString(program, "control: the file itself can be");
            assertThatThrownBy(() -> Files.writeString(sealed.path(), "other"))
                    .isInstanceOf(FileSystemException.class)
                    .hasMessageContaining("not permitted");
            assertThat(Files.size(sealed.path())).isEqualTo(Files.size(Path.of("/bin/true")));
        }
    }

    private Path mounted(String name) throws Exception {
        Path place = Files.createDirectory(directory.resolve(name));
        Mounts.tmpfs(place, "size=1m");
        Files.writeString(place.resolve(name), name);
        return place;
    }
}
