package dev.glovebox.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// How many processors programs believe that they have. Needs root, and two processors.
class ProcessorsIT {
    private static final Limits ONE = new Limits(Limits.DEFAULT.memoryBytes(), 0.5, 512);

    /// The runtime of Go tells it of itself on a thread of its own, if the program runs long
    /// enough.
    private static final String GO =
            "until GODEBUG=schedtrace=1 runc --version 2>&1 | grep -om1 'gomaxprocs=[0-9]*'; do :; done";

    @RegisterExtension static final Grounds GROUNDS = new Grounds();

    /// `runc` stands for what is written in Go. The control asks without what the sandbox says.
    @ParameterizedTest
    @EnumSource
    void programsCountThoseOfTheSandboxAndWhoKnowsBetterSaysSo(RuntimeName runtime)
            throws Exception {
        Template template =
                new Template(
                        "better",
                        new Root.Host(),
                        Profile.STRICT,
                        Optional.empty(),
                        false,
                        Limits.DEFAULT,
                        Map.of("OMP_NUM_THREADS", "7"),
                        List.of());
        Ground ground = GROUNDS.under(runtime);
        try (Sandbox sandbox = ground.sandbox("one", ONE);
                Sandbox better = ground.sandbox("better", template, ONE)) {
            assertThat(Ground.shell(sandbox, "nproc").output()).isEqualTo("1\n");
            assertThat(Ground.shell(sandbox, GO).output()).isEqualTo("gomaxprocs=1\n");
            assertThat(Ground.shell(sandbox, "env -u OMP_NUM_THREADS nproc").output())
                    .as("the control")
                    .isEqualTo(Runtime.getRuntime().availableProcessors() + "\n")
                    .isNotEqualTo("1\n");
            assertThat(Ground.shell(sandbox, "unset GOMAXPROCS; " + GO).output())
                    .as("the control")
                    .isNotEqualTo("gomaxprocs=1\n");
            assertThat(Ground.shell(better, "nproc").output()).isEqualTo("7\n");
        }
    }
}
