package dev.glovebox.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.linux.Trees;
import dev.glovebox.sandbox.SandboxException.Band;
import dev.glovebox.sandbox.image.ImageLimits;
import dev.glovebox.sandbox.image.Images;
import dev.glovebox.sandbox.image.ImagesConfig;
import dev.glovebox.sandbox.layer.LayerDisk;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What a template's command may write and reach, when it runs, and what is left of it. Needs root.
class PreparationIT {
    private static final long MEBI = 1L << 20;
    private static final int MOST_MEBI = 64;
    private static final int MOST_ENTRIES = 2000;

    private Path directory;
    private Sandboxes sandboxes;

    @BeforeEach
    void open() throws IOException {
        directory = Files.createTempDirectory("glovebox-it");
        ImageLimits limits =
                new ImageLimits(
                        4 << 20,
                        127,
                        64 * MEBI,
                        MOST_MEBI * MEBI,
                        MOST_ENTRIES,
                        100,
                        200,
                        Duration.ofMinutes(30));
        sandboxes =
                Sandboxes.open(
                        new SandboxConfig(
                                directory.resolve("state"),
                                Optional.of(RuntimeName.CRUN),
                                SandboxConfig.DEFAULT_START_TIMEOUT,
                                new ImagesConfig(
                                        images(),
                                        limits,
                                        Optional.empty(),
                                        Optional.empty(),
                                        Set.of())));
    }

    @AfterEach
    void close() {
        sandboxes.close();
        Trees.remove(directory);
    }

    @Test
    void aTemplateThatIsNotPreparedIsNotStartedAndItsCommandNotRun() throws Exception {
        SandboxSpec spec = spec("touch /usr/local/there");
        ThrowingCallable[] starts = {
            () -> sandboxes.create(spec).close(), () -> sandboxes.createUnbound(spec).close()
        };
        for (ThrowingCallable start : starts) {
            assertThatThrownBy(start)
                    .isInstanceOfSatisfying(
                            SandboxException.class,
                            e -> assertThat(e.band()).isEqualTo(Band.TEMPLATE))
                    .hasMessageContaining("template t is not prepared");
        }
        assertThat(sandboxes.isPrepared(spec.template())).isFalse();
        assertThat(layers()).isEmpty();

        sandboxes.prepare(spec, _ -> {});

        assertThat(sandboxes.isPrepared(spec.template())).isTrue();
        try (Sandbox sandbox = sandboxes.create(spec)) {
            assertThat(Ground.shell(sandbox, "ls /usr/local/there").exit().code()).isZero();
        }
    }

    /// The control writes half as much.
    @Test
    void aCommandThatFillsTheDisk_endsAtTheLimitOfBytesAndLeavesNothing() {
        long free = directory.toFile().getUsableSpace();
        assertThatThrownBy(() -> prepare("cat /dev/zero > /usr/local/much"))
                .isInstanceOf(SandboxException.class)
                .hasMessageContaining("No space left on device")
                .hasMessageContaining("its disk is full: at most 64 MiB");
        assertThat(layers()).isEmpty();
        assertThat(free - directory.toFile().getUsableSpace()).isLessThan(MOST_MEBI * MEBI);

        prepare("head -c 32M /dev/zero > /usr/local/much");
        assertThat(layers()).hasSize(1);
    }

    /// The control makes half as many.
    @Test
    void aCommandThatMakesFilesWithoutEnd_endsAtTheLimitOfFiles() {
        String script = "mkdir /srv/many && cd /srv/many && seq %d | xargs touch";

        assertThatThrownBy(() -> prepare(script.formatted(2 * MOST_ENTRIES)))
                .isInstanceOf(SandboxException.class)
                .hasMessageContaining("its disk is full");
        assertThat(layers()).isEmpty();

        prepare(script.formatted(MOST_ENTRIES / 2));
        assertThat(layers()).hasSize(1);
    }

    /// What overlayfs notes in attributes, a deletion and a directory that hides one below, and
    /// what a file can have, is in the layer as it was written.
    @Test
    void theLayerIsWhatTheCommandWrote() throws Exception {
        SandboxSpec spec =
                spec(
                        "rm /usr/bin/true; rm -r /usr/share/doc/tar; mkdir /usr/share/doc/tar;"
                                + " cd /srv; echo x > a; ln a b; ln -s a c; chown 33:44 a; chmod 751 a;"
                                + " touch -d @1000000000 a; truncate -s 1G holes; mkfifo f");
        sandboxes.prepare(spec, _ -> {});

        try (Sandbox sandbox = sandboxes.create(spec)) {
            assertThat(
                            Ground.shell(
                                            sandbox,
                                            "ls /usr/bin/true 2>&1; ls -A /usr/share/doc/tar; cd /srv;"
                                                    + " stat -c '%u %g %a %h %Y' a; readlink c;"
                                                    + " stat -c '%s %b' holes; stat -c %F f")
                                    .output()
                                    .lines())
                    .containsExactly(
                            "ls: cannot access '/usr/bin/true': No such file or directory",
                            "33 44 751 2 1000000000",
                            "a",
                            "1073741824 0",
                            "fifo");
        }
    }

    @Test
    void whatTakesLongIsToldWithTheLastLineOfItsOutput() throws Exception {
        Path signal = Files.createDirectory(directory.resolve("signal"));
        List<String> told = new CopyOnWriteArrayList<>();
        SandboxSpec spec =
                new SandboxSpec(
                        "prepare",
                        template(
                                "echo first; printf '\\033[1mfetching\\n';"
                                        + " until [ -e /signal/go ]; do :; done"),
                        List.of(new Mount(signal, "/signal", true)),
                        Optional.empty(),
                        Limits.DEFAULT,
                        Map.of());

        sandboxes.prepare(
                spec,
                line -> {
                    told.add(line);
                    touch(signal.resolve("go"));
                });

        assertThat(told).containsExactly("preparing template t, for 2 s by now: ?[1mfetching");
    }

    /// As if the worker had been killed while a command ran: the disk is mounted, nobody holds the
    /// lock.
    @Test
    void aDiskThatAKilledWorkerLeft_isGoneWithTheNextStart() throws Exception {
        prepare("touch /usr/local/one");
        Path partial = Files.createDirectories(images().resolve("partial/made-0"));
        LayerDisk left = LayerDisk.make(partial, 64 * MEBI, MOST_ENTRIES);
        Files.createDirectory(left.upper());
        assertThat(mounts()).as("the control").hasSize(1);

        Images.open(ImagesConfig.in(images()));

        assertThat(mounts()).isEmpty();
        assertThat(partial).doesNotExist();
    }

    /// Nobody knows whether a template will ever need the store again.
    @Test
    void aDiskThatAKilledWorkerLeft_isGoneWithTheNextWorkerThatPreparesNothing() throws Exception {
        Path other = directory.resolve("other");
        Path partial = Files.createDirectories(other.resolve("images/partial/made-0"));
        LayerDisk left = LayerDisk.make(partial, 64 * MEBI, MOST_ENTRIES);
        Files.createDirectory(left.upper());
        assertThat(mounts(other)).as("the control").hasSize(1);

        Sandboxes.open(SandboxConfig.in(other.resolve("state"))).close();

        assertThat(mounts(other)).isEmpty();
        assertThat(partial).doesNotExist();
    }

    private void prepare(String script) {
        sandboxes.prepare(spec(script), _ -> {});
    }

    private static SandboxSpec spec(String script) {
        return new SandboxSpec(
                "prepare", template(script), List.of(), Optional.empty(), Limits.DEFAULT, Map.of());
    }

    private static Template template(String script) {
        return new Template(
                "t",
                new Root.Host(),
                Profile.STRICT,
                Optional.empty(),
                false,
                Limits.DEFAULT,
                Map.of(),
                List.of("/bin/bash", "-c", script));
    }

    private Path images() {
        return directory.resolve("images");
    }

    /// Layers that are there or being made, by their keys, and disks of such.
    private List<String> layers() {
        List<String> found = new ArrayList<>(mounts());
        for (String part : List.of("layers", "partial")) {
            try (Stream<Path> files = Files.list(images().resolve(part))) {
                files.forEach(file -> found.add(file.toString()));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return found;
    }

    private List<String> mounts() {
        return mounts(images());
    }

    private static List<String> mounts(Path below) {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/mountinfo"))) {
            return lines.filter(line -> line.contains(below.toString())).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void touch(Path file) {
        try {
            Files.createFile(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
