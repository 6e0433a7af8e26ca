package dev.glovebox.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.sandbox.guest.ProcessRequest;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A sandbox ends when its time is up, whatever runs in it. Needs root.
class TimeLimitIT {
    private static final Limits SHORT = Limits.DEFAULT.withTime(Duration.ofSeconds(1));
    private static final SandboxState.Reason UP =
            new SandboxState.Reason.TimeUp(Duration.ofSeconds(1));

    @RegisterExtension static final Grounds GROUNDS = new Grounds();

    @ParameterizedTest
    @EnumSource
    void itEndsWithAllThatRunsInIt(RuntimeName runtime) throws Exception {
        Ground ground = GROUNDS.under(runtime);
        try (Sandbox control = ground.sandbox("long", Limits.DEFAULT);
                Sandbox sandbox = ground.sandbox("short", SHORT)) {
            start(sandbox, "sleep", "1000");
            Set<Integer> pids = sandbox.processes();
            assertThat(pids).isNotEmpty();

            assertThat(reason(sandbox)).isEqualTo(UP);

            Ground.await("all are gone", () -> pids.stream().noneMatch(Ground::lives));
            assertThat(Ground.run(control, "/bin/echo", "on").output()).isEqualTo("on\n");
        }
    }

    /// The time goes on while it stands still.
    @Test
    void aPausedOneEndsToo() throws Exception {
        try (Sandbox sandbox = GROUNDS.under(RuntimeName.CRUN).sandbox("paused", SHORT)) {
            start(sandbox, "sleep", "1000");
            Set<Integer> pids = sandbox.processes();
            sandbox.pause();

            assertThat(reason(sandbox)).isEqualTo(UP);
            Ground.await("all are gone", () -> pids.stream().noneMatch(Ground::lives));
        }
    }

    /// One that waits for a session has no end of time yet.
    @Test
    void theTimeBeginsWhenItIsASessions() throws Exception {
        Ground ground = GROUNDS.under(RuntimeName.CRUN);
        SandboxSpec spec =
                new SandboxSpec(
                        "waiting", Template.BASE, List.of(), Optional.empty(), SHORT, Map.of());
        try (Sandbox waiting = ground.sandboxes().createUnbound(spec);
                Sandbox control = ground.sandbox("control", SHORT)) {
            assertThat(reason(control)).isEqualTo(UP);
            assertThat(waiting.state()).isInstanceOf(SandboxState.Ready.class);

            waiting.bind(new Binding(List.of(), SHORT, Map.of()));

            assertThat(reason(waiting)).isEqualTo(UP);
        }
    }

    private static SandboxState.Reason reason(Sandbox sandbox) throws Exception {
        CompletableFuture<SandboxState.Ended> end = new CompletableFuture<>();
        sandbox.onEnd(end::complete);
        return end.get(60, TimeUnit.SECONDS).reason();
    }

    private static void start(Sandbox sandbox, String... words) {
        sandbox.guest().start(ProcessRequest.of(List.of(words), sandbox.environment(), "/"));
    }
}
