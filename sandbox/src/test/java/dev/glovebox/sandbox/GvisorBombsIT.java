package dev.glovebox.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.sandbox.guest.GuestException;
import dev.glovebox.sandbox.guest.GuestProcess;
import dev.glovebox.sandbox.guest.ProcessRequest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What `KernelBombsIT` tries, under gVisor, whose kernel is a process of the sandbox's own group.
///
/// A hog that gVisor refuses gets its errno. One that it does not refuse ends gVisor, and with it
/// the sandbox, at the limit that the host sets. Never more than that: a neighbour goes on and
/// nothing is left. Needs root.
class GvisorBombsIT {
    private static final Limits SMALL = new Limits(Limits.bytes("64m"), 0.5, 64);
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    @RegisterExtension static final Grounds GROUNDS = new Grounds();

    @ParameterizedTest
    @CsvSource({
        "descriptors, 10000000, 1000, 16384, 24",
        "epoll, 10000000, 1000, 16384, 24",
        "inotify, 10000000, 16, 16384, 24",
        "terminals, 10000000, 16, 16384, 24",
        "signals, 10000000, 16, 4096, 11",
        "locks, 3000, 3000, 3000, 0",
        "names, 20000, 20000, 20000, 0",
        "crashes, 2000, 2000, 2000, 0"
    })
    void whatItsKernelRefusesOrBearsEndsWithAnAnswer(
            String kind, String count, int from, int to, int errno) throws Exception {
        try (Sandbox sandbox = GROUNDS.under(RuntimeName.RUNSC).sandbox("hog", SMALL)) {
            Ground.Result result = Ground.run(sandbox, "/attack/exhaust", kind, count);

            String[] words = result.output().strip().split(" ", -1);
            assertThat(words).startsWith(kind).endsWith(Integer.toString(errno));
            assertThat(Integer.parseInt(words[1])).isBetween(from, to);
            assertThat(Ground.run(sandbox, "/bin/echo", "on").output()).isEqualTo("on\n");
            assertThat(sandbox.oomKills()).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "attack eat 256",
                "exhaust timers",
                "exhaust queues",
                "exhaust xattrs",
                "exhaust pipes",
                "exhaust sockets",
                "exhaust memfds",
                "exhaust segments",
                "exhaust files /tmp 1000000"
            })
    void whatItsKernelKeepsEndsTheSandboxForWantOfMemoryAndNoOther(String words) throws Exception {
        assertThat(endOf(words)).isEqualTo(new SandboxState.Reason.OutOfMemory());
    }

    /// Its threads count against the same limit as those of the agent.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "attack forks",
                "exhaust threads",
                "exhaust zombies 100000",
                "exhaust orphans 100000"
            })
    void whoReachesTheProcessLimitEndsTheSandboxAndNoOther(String words) throws Exception {
        assertThat(endOf(words))
                .isInstanceOfAny(
                        SandboxState.Reason.Crashed.class, SandboxState.Reason.OutOfMemory.class);
    }

    /// Runs what ends its sandbox, with a neighbour that must not notice.
    private static SandboxState.Reason endOf(String words) throws Exception {
        Ground ground = GROUNDS.under(RuntimeName.RUNSC);
        try (Sandbox neighbour = ground.sandbox("neighbour", SMALL)) {
            Sandbox sandbox = ground.sandbox("bomb", SMALL);
            try (sandbox) {
                assertThat(Ground.run(sandbox, "/bin/echo", "control").output())
                        .isEqualTo("control\n");
                assertThatThrownBy(() -> waitFor(sandbox, words))
                        .isInstanceOfAny(GuestException.class, IOException.class);

                assertThat(sandbox.memoryUsed()).isLessThanOrEqualTo(SMALL.memoryBytes());
                Ground.await("its end", () -> sandbox.state() instanceof SandboxState.Ended);
            }
            assertThat(sandbox.group().exists()).isFalse();
            assertThat(Ground.run(neighbour, "/bin/echo", "on").output()).isEqualTo("on\n");
            assertThat(neighbour.oomKills()).isZero();
            return ((SandboxState.Ended) sandbox.state()).reason();
        }
    }

    private static void waitFor(Sandbox sandbox, String words) throws Exception {
        List<String> command = List.of(("/attack/" + words).split(" ", -1));
        try (GuestProcess process =
                sandbox.guest()
                        .start(
                                new ProcessRequest(
                                        command,
                                        sandbox.environment(),
                                        "/",
                                        Optional.empty(),
                                        true))) {
            String output = new String(process.stdout().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor(PATIENCE)).as(output).isNull();
        }
    }
}
