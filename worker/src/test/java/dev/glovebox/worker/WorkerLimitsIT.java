package dev.glovebox.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.sandbox.Limits;
import dev.glovebox.sandbox.SandboxConfig;
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
    private OperatorRig rig;

    @BeforeEach
    void start() {
        rig =
                new OperatorRig(
                        state,
                        SandboxConfig.in(state.resolve("sb")),
                        PlaceConfig.DEFAULT
                                .withLimits(Limits.DEFAULT.withTime(Duration.ofSeconds(3)))
                                .withOutputBytes(2048));
    }

    @AfterEach
    void stop() {
        rig.close();
    }

    /// A call that runs is answered so, and the next has a new sandbox with the same files.
    @Test
    void theEndOfItsTimeIsToldAndTheSessionGoesOn() {
        assertThat(rig.answer("echo kept > f; sleep 1000"))
                .isEqualTo(
                        "sandbox ended after the 3 s that one may take; the next call starts a new"
                                + " one, in which /workspace is as it was");
        assertThat(rig.answer("cat f")).isEqualTo("kept");
    }

    @Test
    void theEndOfAnOutputIsAsLongAsTheSettingSays() {
        assertThat(rig.answer("seq 100000"))
                .startsWith("[output truncated] the last ")
                .endsWith("99999\n100000")
                .satisfies(text -> assertThat(text.length()).isBetween(1900, 2150));
    }
}
