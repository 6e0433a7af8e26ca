package dev.glovebox.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.sandbox.guest.GuestException;
import dev.glovebox.sandbox.guest.GuestProcess;
import dev.glovebox.sandbox.guest.ProcessRequest;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Group B beside a neighbour: what a hog does to the calls of another sandbox. Needs root.
///
/// The hog is paused and resumed in turns, so calls with and without it meet the same load of the
/// machine otherwise, and only their ratio counts ([QuietMachine]).
class NeighbourIT {
    private static final Limits HALF = new Limits(Limits.bytes("64m"), 0.5, 64);
    private static final int ROUNDS = 25;
    private static final int CALLS = 20;
    private static final int WARM_UP = 500;

    /// A kernel that does not preempt (`CONFIG_PREEMPT_NONE`) lets the hog run on until the next
    /// tick of its clock, up to 10 ms, before the one who has waited longer gets the processor.
    private static final long TURN_NANOS = 10_000_000;

    @RegisterExtension static final Grounds GROUNDS = new Grounds();

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    spinners    | for i in 1 2 3 4; do /attack/exhaust spin & done; wait
                    fork bomb   | while :; do /attack/attack forks; done
                    memory bomb | while :; do /attack/attack eat 256; done
                    disk filler | while :; do dd if=/dev/zero of=fill bs=1M count=100 conv=fsync; done
                    file maker  | while :; do /attack/exhaust files /workspace 2000; rm -f f*; done
                    flood       | yes
                    """)
    void aHogLeavesTheCallsOfItsNeighbourWithinThreeTimesAndATurn(String name, String script)
            throws Exception {
        Ground ground = GROUNDS.under(RuntimeName.CRUN);
        try (Sandbox hog = ground.sandbox("hog", HALF);
                Sandbox neighbour = ground.sandbox("neighbour", HALF.withCpus(2));
                QuietMachine _ = new QuietMachine();
                GuestProcess attack = hog.guest().start(shell(hog, script))) {
            Thread.ofVirtual().start(() -> drain(attack));
            Ground.await("the hog is at work", () -> hog.tasks() > 1);
            for (int i = 0; i < WARM_UP; i++) {
                call(neighbour);
            }
            long[] with = new long[ROUNDS * CALLS];
            long[] without = new long[ROUNDS * CALLS];
            for (int round = 0; round < ROUNDS; round++) {
                measure(neighbour, with, round);
                hog.pause();
                measure(neighbour, without, round);
                hog.resume();
            }

            assertThat(percentile(with, 99))
                    .as("99 of 100 calls beside the %s, in ns", name)
                    .isLessThanOrEqualTo(3 * percentile(without, 99) + TURN_NANOS);
            assertThat(percentile(with, 50))
                    .as("half of the calls beside the %s, in ns", name)
                    .isLessThanOrEqualTo(3 * percentile(without, 50));
        }
    }

    private static ProcessRequest shell(Sandbox sandbox, String script) {
        return new ProcessRequest(
                List.of("/bin/bash", "-c", script),
                sandbox.environment(),
                "/workspace",
                Optional.empty(),
                true);
    }

    private static void drain(GuestProcess process) {
        byte[] chunk = new byte[64 * 1024];
        try {
            while (process.stdout().read(chunk, 0, chunk.length) >= 0) {
                Thread.onSpinWait();
            }
        } catch (IOException | GuestException e) {
            // the sandbox is closed, as it is at the end of the test
            Thread.currentThread().interrupt();
        }
    }

    private static void measure(Sandbox sandbox, long[] nanos, int round) throws Exception {
        for (int i = 0; i < CALLS; i++) {
            long start = System.nanoTime();
            call(sandbox);
            nanos[round * CALLS + i] = System.nanoTime() - start;
        }
    }

    private static void call(Sandbox sandbox) throws Exception {
        assertThat(Ground.run(sandbox, "/bin/true").exit().code()).isZero();
    }

    private static long percentile(long[] nanos, int percent) {
        long[] sorted = nanos.clone();
        Arrays.sort(sorted);
        return sorted[Math.min(sorted.length - 1, sorted.length * percent / 100)];
    }
}
