package dev.glovebox.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.egress.Doors;
import dev.glovebox.egress.EgressConfig;
import dev.glovebox.protocol.Secret;
import dev.glovebox.sandbox.Limits;
import dev.glovebox.sandbox.SandboxConfig;
import dev.glovebox.sandbox.Sandboxes;
import dev.glovebox.workspace.Workspaces;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What a session is told at the end of its sandbox's time, and of a long output. Needs root.
@Timeout(120)
class WorkerLimitsIT {
    @TempDir Path state;
    private final FakeControlPlane plane = new FakeControlPlane();
    private Sandboxes sandboxes;
    private Doors doors;
    private Worker worker;
    private Thread running;

    @BeforeEach
    void start() {
        sandboxes = Sandboxes.open(SandboxConfig.in(state.resolve("sb")));
        doors = Doors.open(EgressConfig.at(state.resolve("doors")));
        WorkerConfig config =
                WorkerConfig.of(
                                plane.address(),
                                FakeControlPlane.ENVIRONMENT,
                                new Secret(FakeControlPlane.KEY),
                                state)
                        .withPlace(
                                PlaceConfig.DEFAULT
                                        .withLimits(Limits.DEFAULT.withTime(Duration.ofSeconds(3)))
                                        .withOutputBytes(2048));
        worker = new Worker(config, sandboxes, doors, Workspaces.open(state.resolve("ws")));
        running = Thread.ofVirtual().name("worker").start(worker::run);
        plane.session("sesn_1");
        plane.enqueue("sesn_1");
    }

    @AfterEach
    void stop() throws InterruptedException {
        worker.close();
        running.join();
        doors.close();
        sandboxes.close();
        plane.close();
    }

    /// A call that runs is answered so, and the next has a new sandbox with the same files.
    @Test
    void theEndOfItsTimeIsToldAndTheSessionGoesOn() {
        assertThat(answer("echo kept > f; sleep 1000"))
                .isEqualTo(
                        "sandbox ended after the 3 s that one may take; the next call starts a new"
                                + " one, in which /workspace is as it was");
        assertThat(answer("cat f")).isEqualTo("kept");
    }

    @Test
    void theEndOfAnOutputIsAsLongAsTheSettingSays() {
        assertThat(answer("seq 100000"))
                .startsWith("[output truncated] the last ")
                .endsWith("99999\n100000")
                .satisfies(text -> assertThat(text.length()).isBetween(1900, 2150));
    }

    private String answer(String command) {
        String call = plane.toolUse("sesn_1", command);
        WorkerRig.await(() -> !plane.results("sesn_1", call).isEmpty());
        return plane.results("sesn_1", call).getFirst();
    }
}
