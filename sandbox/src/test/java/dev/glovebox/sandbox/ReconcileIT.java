package dev.glovebox.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.linux.cgroup.Cgroups;
import dev.glovebox.linux.net.NetworkNamespace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// Whoever is killed, at whatever moment: the next start finds it all and leaves nothing of it.
/// Needs root.
class ReconcileIT {
    /// Starts that must have met their killer.
    private static final int MET = 5;

    @TempDir Path directory;

    /// The worker is killed at a random moment of its life, its pool and paused sandboxes included.
    @ParameterizedTest
    @CsvSource({"CRUN, 1, 10", "RUNC, 100, 6", "RUNSC, 200, 5"})
    void whatAWorkerKilledAtAnyMomentLeavesIsGoneAfterTheNextStart(
            RuntimeName runtime, int firstSeed, int kills) throws Exception {
        Path state = directory.resolve("state");
        Path pins = Files.createDirectories(directory.resolve("pins"));
        startAndEnd(state, runtime);
        Census clean = Census.of(state, pins);
        assertThat(clean.processes()).isEmpty();
        int found = 0;
        for (int seed = firstSeed; seed < firstSeed + kills; seed++) {
            Process worker = worker(state, pins, runtime);
            awaitWord("begin");
            long life = runtime == RuntimeName.RUNSC ? 3_000_000_000L : 1_500_000_000L;
            LockSupport.parkNanos(new SplittableRandom(seed).nextLong(life));
            worker.destroyForcibly().waitFor();
            found += Census.of(state, pins).files().size() > clean.files().size() ? 1 : 0;

            // What the pins' owner does, the room egress.
            try (var left = Files.list(pins)) {
                left.toList().forEach(NetworkNamespace::unpin);
            }
            startAndEnd(state, runtime);

            awaitClean(clean, state, pins, "seed " + seed);
        }
        assertThat(found).as("kills that left something to remove").isPositive();
    }

    /// Who is killed in the middle of a start.
    enum Victim {
        /// The runtime, or what dials for it and becomes it.
        RUNTIME,
        /// Whoever is in the sandbox's group: what becomes pid 1 inside, from its first moment on;
        /// under gVisor, gVisor.
        INSIDE
    }

    /// How many starts are over before their killer has found them depends on the machine, so it is
    /// tried until enough were not.
    @ParameterizedTest
    @CsvSource({
        "CRUN, RUNTIME, 30",
        "CRUN, INSIDE, 20",
        "RUNC, RUNTIME, 20",
        "RUNC, INSIDE, 15",
        "RUNSC, RUNTIME, 8",
        "RUNSC, INSIDE, 8"
    })
    void aStartThatIsKilledLeavesNothing(RuntimeName runtime, Victim victim, int kills)
            throws Exception {
        Path state = directory.resolve("state");
        SplittableRandom random = new SplittableRandom(7);
        int failed = 0;
        try (Sandboxes sandboxes = Sandboxes.open(config(state, runtime))) {
            sandboxes.create(SandboxSpec.of("first", List.of())).close();
            Census clean = Census.of(state);
            String group = StateDirectory.groupPath(state.toRealPath());
            for (int i = 0; i < kills || (failed < MET && i < 20 * kills); i++) {
                long delay = i % 2 == 0 ? 0 : random.nextLong(startNanos(runtime));
                AtomicBoolean over = new AtomicBoolean();
                Supplier<List<ProcessHandle>> victims =
                        victim == Victim.RUNTIME
                                ? () -> runtimes(state, group)
                                : () -> inside(group);
                Thread killer = Thread.ofPlatform().start(() -> kill(victims, delay, over));
                long start = System.nanoTime();
                try {
                    sandboxes.create(SandboxSpec.of("s" + i, List.of())).close();
                } catch (SandboxException e) {
                    failed++;
                }
                assertThat(Duration.ofNanos(System.nanoTime() - start))
                        .as("kill " + i)
                        .isLessThan(SandboxConfig.DEFAULT_START_TIMEOUT);
                over.set(true);
                killer.join();
                awaitClean(clean, state, directory.resolve("none"), "kill " + i);
            }
            sandboxes.create(SandboxSpec.of("last", List.of())).close();
        }
        assertThat(failed).as("starts that met their killer").isGreaterThanOrEqualTo(MET);
    }

    /// About.
    private static long startNanos(RuntimeName runtime) {
        return switch (runtime) {
            case CRUN -> 15_000_000;
            case RUNC -> 60_000_000;
            case RUNSC -> 250_000_000;
        };
    }

    @ParameterizedTest
    @EnumSource
    void aKilledPidOneLeavesNothingOnceItsSandboxIsClosed(RuntimeName runtime) throws Exception {
        Path state = directory.resolve("state");
        try (Sandboxes sandboxes = Sandboxes.open(config(state, runtime))) {
            sandboxes.create(SandboxSpec.of("first", List.of())).close();
            Census clean = Census.of(state);
            Sandbox sandbox = sandboxes.create(SandboxSpec.of("s", List.of()));

            inside(sandbox.group().path()).getFirst().destroyForcibly();
            sandbox.close();

            awaitClean(clean, state, directory.resolve("none"), "init");
        }
    }

    /// Some starts are over before the killer has seen them.
    private static void kill(
            Supplier<List<ProcessHandle>> victims, long delayNanos, AtomicBoolean over) {
        List<ProcessHandle> found = List.of();
        while (found.isEmpty() && !over.get()) {
            found = victims.get();
        }
        if (delayNanos > 0) {
            LockSupport.parkNanos(delayNanos);
            found = victims.get();
        }
        found.forEach(ProcessHandle::destroyForcibly);
    }

    /// By their command lines: crun, runc and what dials have the state directory in it; runsc has
    /// not, but is in the group.
    private static List<ProcessHandle> runtimes(Path state, String group) {
        return Stream.concat(
                        ProcessHandle.allProcesses()
                                .filter(process -> hasWord(process, state + "/live/")),
                        inside(group).stream().filter(process -> hasWord(process, "--detach")))
                .toList();
    }

    private static boolean hasWord(ProcessHandle process, String beginning) {
        return process.info().arguments().stream()
                .flatMap(Arrays::stream)
                .anyMatch(word -> word.startsWith(beginning));
    }

    /// In a control group or one below; not this process, whose threads go there to start others.
    private static List<ProcessHandle> inside(String group) {
        return Cgroups.detect().group(group).processes().stream()
                .map(ProcessHandle::of)
                .flatMap(Optional::stream)
                .filter(process -> !process.equals(ProcessHandle.current()))
                .toList();
    }

    /// What a killed worker's children still have to do by themselves takes a moment.
    private static void awaitClean(Census clean, Path state, Path pins, String what)
            throws Exception {
        long end = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        Census now = Census.of(state, pins);
        while (!now.equals(clean) && System.nanoTime() < end) {
            LockSupport.parkNanos(10_000_000);
            now = Census.of(state, pins);
        }
        assertThat(now).as(what).isEqualTo(clean);
    }

    private static void startAndEnd(Path state, RuntimeName runtime) {
        try (Sandboxes next = Sandboxes.open(config(state, runtime))) {
            next.create(SandboxSpec.of("next", List.of())).close();
        }
    }

    private static SandboxConfig config(Path state, RuntimeName runtime) {
        return new SandboxConfig(state, Optional.of(runtime), SandboxConfig.DEFAULT_START_TIMEOUT);
    }

    private Process worker(Path state, Path pins, RuntimeName runtime) throws IOException {
        Path output = directory.resolve("output");
        Files.deleteIfExists(output);
        return new ProcessBuilder(
                        ProcessHandle.current().info().command().orElseThrow(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-Xshare:auto",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        RestlessWorker.class.getName(),
                        state.toString(),
                        pins.toString(),
                        runtime.program())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
    }

    private void awaitWord(String word) {
        Path output = directory.resolve("output");
        Ground.await(
                "the worker says " + word,
                () -> {
                    try {
                        return Files.exists(output) && Files.readString(output).contains(word);
                    } catch (IOException e) {
                        return false;
                    }
                });
    }
}
