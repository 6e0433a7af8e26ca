package dev.glovebox.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.sandbox.guest.GuestProcess;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Group B, memory used up by processes so small that pid 1 is the largest: whom the kernel takes
/// first. Needs root.
@Timeout(120)
class OutOfMemoryIT {
    private static final String SCORE = "/proc/self/oom_score_adj";
    private static final Duration DEADLINE = Duration.ofSeconds(20);

    @TempDir static Path state;
    private static Sandboxes sandboxes;

    @BeforeAll
    static void open() {
        sandboxes = Sandboxes.open(SandboxConfig.in(state.resolve("sb")));
    }

    @AfterAll
    static void close() {
        sandboxes.close();
    }

    @Test
    void whatIsSacrificedGoesBeforePid1AndCannotChangeIt() throws Exception {
        String look = "read -r; cat " + SCORE + "; echo 0 > " + SCORE + "; (cat " + SCORE + ")";
        try (Sandbox sandbox = sandboxes.create(SandboxSpec.of("memory", List.of()))) {
            String init = "/proc/" + sandbox.init() + "/oom_score_adj";
            assertThat(Files.readString(Path.of(init)).strip()).isEqualTo("500");

            // positive control: another is as pid 1 is
            assertThat(said(sandbox, look, false)).startsWith("500\n").endsWith("500\n");

            assertThat(said(sandbox, look, true))
                    .startsWith("600\n")
                    .contains("Permission denied")
                    .endsWith("600\n");
            assertThat(Files.readString(Path.of(init)).strip()).isEqualTo("500");
        }
    }

    @Test
    void oneThatHasEndedIsNoError() throws Exception {
        try (Sandbox sandbox = sandboxes.create(SandboxSpec.of("ended", List.of()));
                GuestProcess process = Ground.start(sandbox, "exit 0")) {
            assertThat(process.waitFor(DEADLINE).code()).isZero();

            sandbox.sacrifice(process);
        }
    }

    /// What a shell says after it has been given a line.
    private static String said(Sandbox sandbox, String command, boolean sacrificed)
            throws Exception {
        try (GuestProcess process = Ground.start(sandbox, "exec 2>&1; " + command)) {
            if (sacrificed) {
                sandbox.sacrifice(process);
            }
            process.stdin().write('\n');
            process.stdin().flush();
            return new String(process.stdout().readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
