package dev.glovebox.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.glovebox.linux.cgroup.Cgroup;
import dev.glovebox.linux.cgroup.Cgroups;
import dev.glovebox.sandbox.cpu.Rank;
import dev.glovebox.sandbox.guest.GuestProcess;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Group B, a sandbox that is busy beside one that is not: who goes first, as the kernel has it.
/// What that is worth to the calls of the other is measured by `./glovebox bench sandbox`. Needs
/// root.
@Timeout(120)
class PrecedenceIT {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    @TempDir static Path state;
    private Sandboxes sandboxes;

    @BeforeEach
    void open() throws IOException {
        sandboxes = Sandboxes.open(SandboxConfig.in(state.resolve("sb")));
        assumeThat(Cgroups.detect().group(path()).offersIdle()).as("cpu.idle, Linux 5.15").isTrue();
    }

    @AfterEach
    void close() {
        sandboxes.close();
    }

    @Test
    void aSandboxThatKeepsAProcessorBusyGoesAfterTheOthersUntilItIsQuiet() {
        try (Sandbox busy = create("busy");
                Sandbox quiet = create("quiet")) {
            spin(busy);
            assertThat(quiet.group().isIdle()).isFalse();

            await(() -> !busy.group().isIdle());
        }
    }

    @Test
    void itDoesNotComeBackByStandingStill() {
        try (Sandbox busy = create("busy");
                Sandbox other = create("other")) {
            spin(busy);
            busy.pause();

            // meanwhile another pays off what it owes, which takes as long
            spin(other);
            await(() -> !other.group().isIdle());

            assertThat(busy.group().isIdle()).isTrue();
            busy.resume();
            await(() -> !busy.group().isIdle());
        }
    }

    @Test
    void whoIsBeingStoppedGoesBeforeTheOthersMeanwhile() {
        try (Sandbox busy = create("busy")) {
            spin(busy);
            Rank rank = busy.contender().rank();

            rank.hurry();
            assertThat(busy.group().isIdle()).isFalse();
            assertThat(busy.group().weight()).isEqualTo(10_000);

            rank.calm();
            assertThat(busy.group().isIdle()).isTrue();
            await(() -> !busy.group().isIdle());
            assertThat(busy.group().weight()).isEqualTo(Cgroup.WEIGHT);
        }
    }

    /// B9: a worker that is busy itself, by what it has started.
    @Test
    void aHeavySandboxGetsSomethingOfAMachineThatIsFull() throws Exception {
        try (Sandbox heavy = create("heavy");
                GuestProcess _ = Ground.start(heavy, Ground.SPIN)) {
            await(() -> heavy.group().isIdle());
            try (Closeable _ = Ground.busyWorker()) {
                Duration before = heavy.cpuTime();
                await(() -> heavy.cpuTime().minus(before).toMillis() > 300);
            }
        }
    }

    /// Keeps a processor busy until it is heavy.
    private static void spin(Sandbox sandbox) {
        try (GuestProcess _ = Ground.start(sandbox, Ground.SPIN)) {
            await(() -> sandbox.group().isIdle());
        }
    }

    @Test
    void aLaterSandboxOfTheSameNameIsJudgedByWhatItDoesItself() {
        try (Sandbox busy = create("same");
                GuestProcess _ = Ground.start(busy, Ground.SPIN)) {
            await(() -> busy.group().isIdle());
        }
        try (Sandbox later = create("same");
                GuestProcess _ = Ground.start(later, Ground.SPIN)) {
            assertThat(later.group().isIdle()).isFalse();
            await(() -> later.group().isIdle());
        }
    }

    @Test
    void theWorkerIsWeighedBesideItsSandboxesAndGoesBackWhenItCloses() throws Exception {
        assumeThat(Cgroups.detect().legacy()).as("version 1 control groups").isTrue();
        String mine = cpuGroup();
        assertThat(mine).isEqualTo(path() + "/_worker");
        Process child = new ProcessBuilder("sleep", "60").start();
        try {
            sandboxes.close();

            assertThat(cpuGroup()).isNotEqualTo(mine);
            assertThat(Files.readString(Path.of("/proc/" + child.pid() + "/cgroup")))
                    .doesNotContain("_worker");
            assertThat(child.isAlive()).isTrue();
            assertThat(Cgroups.detect().group(path()).exists()).isFalse();
        } finally {
            child.destroyForcibly();
        }
    }

    private static String cpuGroup() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/cgroup")).stream()
                .map(line -> line.split(":", 3))
                .filter(fields -> List.of(fields[1].split(",", -1)).contains("cpu"))
                .map(fields -> fields[2])
                .findFirst()
                .orElseThrow();
    }

    private static String path() throws IOException {
        return StateDirectory.groupPath(state.resolve("sb").toRealPath());
    }

    private Sandbox create(String name) {
        return sandboxes.create(SandboxSpec.of(name, List.of()));
    }

    private static void await(BooleanSupplier condition) {
        Ground.await("within 20 seconds", PATIENCE, condition);
    }
}
