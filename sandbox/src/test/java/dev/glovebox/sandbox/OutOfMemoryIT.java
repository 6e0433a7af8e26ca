package dev.glovebox.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.sandbox.guest.GuestException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Group B, memory used up by processes so small that pid 1 is the largest: whom the kernel takes
/// first. What such processes do is in [KernelBombsIT]. Needs root.
@Timeout(120)
class OutOfMemoryIT {
    private static final String SCORE = "/proc/self/oom_score_adj";

    @RegisterExtension static final Grounds GROUNDS = new Grounds();

    /// Positive control: pid 1, whose score they would have, had they just inherited it; also after
    /// a start that failed.
    @ParameterizedTest
    @EnumSource(names = {"CRUN", "RUNC"})
    void allThatIsStartedInsideGoesBeforePid1AndCannotChangeIt(RuntimeName runtime)
            throws Exception {
        try (Sandbox sandbox = GROUNDS.under(runtime).sandbox("memory", Limits.DEFAULT)) {
            Path init = Path.of("/proc/" + sandbox.init() + "/oom_score_adj");

            assertThat(Ground.shell(sandbox, "cat " + SCORE).output()).isEqualTo("600\n");
            assertThat(Files.readString(init)).isEqualTo("500\n");
            for (int score : new int[] {-1000, 0, 499}) {
                Ground.Result result =
                        Ground.shell(
                                sandbox,
                                "echo " + score + " 2>/dev/null > " + SCORE + "; cat " + SCORE);
                assertThat(result.output()).isEqualTo("600\n");
            }

            assertThatThrownBy(() -> Ground.run(sandbox, "/not/there"))
                    .isInstanceOf(GuestException.class);
            assertThat(Files.readString(init)).isEqualTo("500\n");
        }
    }
}
