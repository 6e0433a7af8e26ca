package dev.glovebox.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Whoever is killed, at whatever moment: the next start finds it all and leaves nothing of it.
/// Needs root.
class ReconcileIT {
    /// Starts that must have met their killer.
    private static final int MET = 5;

    @TempDir Path directory;

    /// The worker is killed at a random moment of its life, its pool and paused sandboxes included.
    @ParameterizedTest
    @CsvSource({"CRUN, 1, 20", "RUNC, 100, 14"})
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
            LockSupport.parkNanos(new SplittableRandom(seed).nextLong(1_500_000_000L));
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

    /// The runtime, or what dials for it, is killed in the middle of a start. How many starts are
    /// over before their killer has found them depends on the machine, so it is tried until enough
    /// were not.
    @ParameterizedTest
    @CsvSource({"CRUN, 40", "RUNC, 30"})
    void aStartWhoseRuntimeIsKilledLeavesNothing(RuntimeName runtime, int kills) throws Exception {
        Path state = directory.resolve("state");
        SplittableRandom random = new SplittableRandom(7);
        int failed = 0;
        try (Sandboxes sandboxes = Sandboxes.open(config(state, runtime))) {
            sandboxes.create(SandboxSpec.of("first", List.of())).close();
            Census clean = Census.of(state);
            for (int i = 0; i < kills || (failed < MET && i < 20 * kills); i++) {
                long longest = runtime == RuntimeName.CRUN ? 15_000_000 : 60_000_000;
                long delay = i % 2 == 0 ? 0 : random.nextLong(longest);
                AtomicBoolean over = new AtomicBoolean();
                Thread killer = Thread.ofPlatform().start(() -> killRuntime(state, delay, over));
                try {
                    sandboxes.create(SandboxSpec.of("s" + i, List.of())).close();
                } catch (SandboxException e) {
                    failed++;
                }
                over.set(true);
                killer.join();
                awaitClean(clean, state, directory.resolve("none"), "kill " + i);
            }
            sandboxes.create(SandboxSpec.of("last", List.of())).close();
        }
        assertThat(failed).as("starts that met their killer").isGreaterThanOrEqualTo(MET);
    }

    @Test
    void aKilledPidOneLeavesNothingOnceItsSandboxIsClosed() throws Exception {
        Path state = directory.resolve("state");
        try (Sandboxes sandboxes = Sandboxes.open(config(state, RuntimeName.CRUN))) {
            sandboxes.create(SandboxSpec.of("first", List.of())).close();
            Census clean = Census.of(state);
            Sandbox sandbox = sandboxes.create(SandboxSpec.of("s", List.of()));

            ProcessHandle.of(sandbox.init()).orElseThrow().destroyForcibly();
            sandbox.close();

            awaitClean(clean, state, directory.resolve("none"), "init");
        }
    }

    /// Some starts are over before the killer has seen them.
    private static void killRuntime(Path state, long delayNanos, AtomicBoolean over) {
        List<ProcessHandle> runtimes = List.of();
        while (runtimes.isEmpty() && !over.get()) {
            runtimes = runtimes(state);
        }
        if (delayNanos > 0) {
            LockSupport.parkNanos(delayNanos);
            runtimes = runtimes(state);
        }
        runtimes.forEach(ProcessHandle::destroyForcibly);
    }

    private static List<ProcessHandle> runtimes(Path state) {
        return ProcessHandle.allProcesses()
                .filter(process ->
                        process.info().arguments().stream()
                                .flatMap(Arrays::stream)
                                .anyMatch(word -> word.startsWith(state + "/live/runtime")))
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
