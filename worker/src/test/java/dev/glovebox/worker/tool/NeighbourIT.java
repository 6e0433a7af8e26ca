package dev.glovebox.worker.tool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.Json;
import dev.glovebox.sandbox.Limits;
import dev.glovebox.sandbox.RuntimeName;
import dev.glovebox.sandbox.SandboxConfig;
import dev.glovebox.sandbox.Sandboxes;
import dev.glovebox.worker.World;
import dev.glovebox.worker.shell.Cancellation;
import dev.glovebox.workspace.WorkspaceLimits;
import dev.glovebox.workspace.Workspaces;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Group B beside a neighbour: each hog of `sandbox/src/test/hogs.txt` as an agent's command, in a
/// sandbox with a disk of its own. Meanwhile the calls of another sandbox are answered; the worker
/// keeps no more memory than before ([Memory]); the hog's own next call is answered; and when its
/// session is over nothing of it is left: processes that live on, stopped ones among them, control
/// groups, mounts, loop devices and files. Needs root.
///
/// How fast the neighbour's calls are is measured by `./glovebox bench sandbox`, since a machine
/// that does something else would fail a test of it.
@Timeout(300)
class NeighbourIT {
    private static final Limits HOG = new Limits(Limits.bytes("256m"), 2, 64);
    private static final WorkspaceLimits DISK = new WorkspaceLimits(256L << 20, 20_000);
    private static final Duration CALL_BOUND = Duration.ofSeconds(20);
    private static final int LEAST_CALLS = 20;
    private static final int WARM_UP = 30;
    private static final long SAMPLE_NANOS = 300_000_000;
    private static final Path HOGS = Path.of("../sandbox/src/test/hogs.txt");

    @TempDir static Path state;
    private static Path program;
    private static Sandboxes sandboxes;
    private static Workspaces workspaces;
    private static Sandboxed neighbour;

    @BeforeAll
    static void open() throws Exception {
        program = state.resolve("exhaust");
        Path source = Path.of("../sandbox/src/test/c/exhaust.c").toAbsolutePath();
        Process gcc =
                new ProcessBuilder("gcc", "-static", "-O1", "-o", program + "", source + "")
                        .inheritIO()
                        .start();
        assertThat(gcc.waitFor()).isZero();
        sandboxes =
                Sandboxes.open(
                        new SandboxConfig(
                                state.resolve("sb"),
                                Optional.of(RuntimeName.CRUN),
                                SandboxConfig.DEFAULT_START_TIMEOUT));
        workspaces = Workspaces.open(state.resolve("ws"), Optional.of(DISK));
        neighbour = new Sandboxed(sandboxes, workspaces.open("neighbour"), HOG);
        try (Sandboxed warmUp = new Sandboxed(sandboxes, workspaces.open("warm-up"), HOG)) {
            for (int i = 0; i < WARM_UP; i++) {
                warmUp.bash("head -c 200000 /dev/zero");
                neighbour.bash("echo warm");
            }
        }
    }

    @AfterAll
    static void close() {
        neighbour.close();
        sandboxes.close();
    }

    /// @param name what it is
    /// @param command what it does
    /// @param answer a pattern that the result of that has to hold
    /// @param leaves how many processes it leaves at least, the shell included
    record Hog(String name, String command, String answer, int leaves) {
        static Hog of(String line) {
            List<String> columns = List.of(line.split("\\s+\\|\\s+", -1));
            int last = columns.size() - 1;
            return new Hog(
                    columns.getFirst(),
                    String.join(" | ", columns.subList(1, last - 1)),
                    columns.get(last - 1),
                    Integer.parseInt(columns.get(last)));
        }

        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Hog> hogs() throws IOException {
        return Files.readAllLines(HOGS).stream().filter(l -> !l.startsWith("#")).map(Hog::of);
    }

    @ParameterizedTest
    @MethodSource("hogs")
    void aHogStopsNoNeighbourTakesNoMemoryAndLeavesNothing(Hog hog) throws Exception {
        World before = world();
        long live = Memory.live();
        long anonymous = Memory.anonymous();
        long most;
        try (Sandboxed place = new Sandboxed(sandboxes, workspaces.open("hog"), HOG)) {
            Path copy = place.directory.resolve("exhaust");
            Files.copy(program, copy, StandardCopyOption.REPLACE_EXISTING);
            Files.setPosixFilePermissions(copy, PosixFilePermissions.fromString("rwxr-xr-x"));
            FutureTask<ToolResult> call = new FutureTask<>(() -> run(place, hog));
            Thread.ofVirtual().name("hog").start(call);

            most = callsBeside(call);

            String text = ends(call.get(1, TimeUnit.SECONDS).text());
            assertThat(text).containsPattern(hog.answer());
            if (text.contains("session terminated")) {
                assertThat(place.sandbox.oomKills()).isPositive();
            }
            assertThat(place.bash("echo on")).isEqualTo(ToolResult.ok("on"));
            Set<Integer> left = World.inside(state.resolve("sb"));
            left.removeAll(before.processes());
            assertThat(stopped(left))
                    .as("what has to be ended")
                    .hasSizeGreaterThanOrEqualTo(hog.leaves());
        }
        workspaces.delete("hog");

        awaitWorld(before);
        assertThat(most - live).as("live memory").isLessThan(Memory.WITHIN);
        assertThat(Memory.live() - live).as("live memory afterwards").isLessThan(Memory.WITHIN);
        assertThat(Memory.anonymous() - anonymous).isLessThan(Memory.ANONYMOUS_WITHIN);
        assertThat(neighbour.sandbox.oomKills()).isZero();
    }

    private static String ends(String text) {
        int half = 200;
        return text.length() < 2 * half
                ? text
                : text.substring(0, half) + "..." + text.substring(text.length() - half);
    }

    private static ToolResult run(Sandboxed place, Hog hog) {
        int time = hog.answer().contains("timed out") ? 5_000 : 200_000;
        return place.tools.call(
                "bash",
                Json.object().put("command", hog.command()).put("timeout_ms", time),
                new Cancellation());
    }

    /// Calls of the neighbour until the hog's is over, and the most live memory meanwhile.
    private static long callsBeside(FutureTask<ToolResult> hog) {
        long most = 0;
        long sampled = System.nanoTime() - SAMPLE_NANOS;
        for (int i = 0; i < LEAST_CALLS || !hog.isDone(); i++) {
            long start = System.nanoTime();
            assertThat(neighbour.bash("echo " + i)).isEqualTo(ToolResult.ok("" + i));
            long end = System.nanoTime();
            assertThat(Duration.ofNanos(end - start)).isLessThan(CALL_BOUND);
            if (end - sampled > SAMPLE_NANOS) {
                most = Math.max(most, Memory.live());
                sampled = end;
            }
        }
        return most;
    }

    /// Stops them from outside, and says which of them stand. One may end meanwhile.
    private static Set<Integer> stopped(Set<Integer> pids) throws Exception {
        List<String> command = new ArrayList<>(List.of("kill", "-STOP"));
        pids.forEach(pid -> command.add("" + pid));
        new ProcessBuilder(command).redirectErrorStream(true).start().waitFor();
        Set<Integer> standing = new TreeSet<>(pids);
        await(() -> {
            standing.removeIf(pid -> state(pid).isEmpty() || "ZX".contains(state(pid)));
            return standing.stream().allMatch(pid -> state(pid).equals("T"));
        });
        return standing;
    }

    private static String state(int pid) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            return stat.substring(stat.lastIndexOf(')') + 2).substring(0, 1);
        } catch (IOException e) {
            return ""; // it has ended
        }
    }

    private static void await(BooleanSupplier condition) {
        long end = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (!condition.getAsBoolean() && System.nanoTime() < end) {
            LockSupport.parkNanos(10_000_000);
        }
    }

    private static World world() {
        return World.of(state, state.resolve("sb"));
    }

    private static void awaitWorld(World clean) {
        await(() -> world().equals(clean));
        assertThat(world().beside(clean)).isEmpty();
    }
}
