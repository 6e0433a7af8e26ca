package dev.glovebox.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.sandbox.guest.GuestProcess;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A process that is ended tries to leave something behind (B10, B11). Needs root.
class SurvivorAttackIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /// Ways to get out of a process group, each with a `sleep` that says which.
    private static final String WAYS =
            """
            sleep 7001 &
            setsid sleep 7002 &
            (setsid setsid sleep 7003 &)
            trap '' TERM HUP INT
            (trap '' TERM HUP INT; exec setsid sleep 7004) &
            python3 - <<'END' &
            import ctypes, os
            ctypes.CDLL(None).prctl(4, 0)
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0: os.execv('/bin/sleep', ['sleep', '7005'])
            ctypes.CDLL(None).prctl(4, 0)
            os.setpgid(0, 0)
            import time
            time.sleep(7006)
            END
            (for i in $(seq MANY); do setsid sh -c 'setsid sleep 7007 & sleep 0.01' & sleep 0.01; done) &
            sleep 0.2
            echo ready
            sleep 7008
            """;

    @RegisterExtension static final Grounds GROUNDS = new Grounds();

    @ParameterizedTest
    @EnumSource
    void nothingThatAnEndedProcessHasStartedLives(RuntimeName runtime) throws Exception {
        try (Sandbox sandbox = GROUNDS.under(runtime).sandbox("ways", Limits.DEFAULT)) {
            long since = sandbox.moment();
            // many processes at once are more threads than gVisor bears
            String many = runtime == RuntimeName.RUNSC ? "3" : "1000000";
            GuestProcess process = Ground.start(sandbox, WAYS.replace("MANY", many));
            awaitReady(process);
            assertThat(sleepers(sandbox)).as("the control").contains("7001", "7002", "7008");

            sandbox.end(process, since);

            assertThat(sleepers(sandbox)).isEmpty();
            Ground.await("only pid 1 is left", () -> sandbox.guest().running().isEmpty());
            assertThat(Ground.run(sandbox, "/bin/echo", "on").output()).isEqualTo("on\n");
        }
    }

    /// What an earlier command has left on purpose, and what another process of the worker's starts
    /// meanwhile, such as an operator's. The control is in the same breath: what the ended process
    /// has started.
    @ParameterizedTest
    @EnumSource(names = {"CRUN", "RUNC"})
    void whatSomebodyElseHasStartedLives(RuntimeName runtime) throws Exception {
        try (Sandbox sandbox = GROUNDS.under(runtime).sandbox("others", Limits.DEFAULT)) {
            GuestProcess earlier =
                    Ground.start(sandbox, "setsid sh -c 'sleep 8001; sleep 8002' & echo ready");
            awaitReady(earlier);
            assertThat(earlier.waitFor(PATIENCE).code()).isZero();
            long started = sandbox.moment();
            Ground.await("another tick", () -> sandbox.moment() > started + 1);
            long since = sandbox.moment();
            GuestProcess process =
                    Ground.start(sandbox, "setsid sleep 9001 & echo ready; sleep 9002");
            awaitReady(process);
            GuestProcess operator = Ground.start(sandbox, "sleep 8003 & echo ready; sleep 8004");
            awaitReady(operator);
            assertThat(sleepers(sandbox)).contains("9001", "9002");

            sandbox.end(process, since);

            assertThat(sleepers(sandbox)).containsExactly("8001", "8003", "8004");
            assertThat(operator.exit()).isEmpty();
            operator.close();
        }
    }

    /// Of a paused sandbox nothing runs until it is resumed, and then only what is to live.
    @ParameterizedTest
    @EnumSource(names = {"CRUN"})
    void aPausedSandboxStaysPaused(RuntimeName runtime) throws Exception {
        try (Sandbox sandbox = GROUNDS.under(runtime).sandbox("paused", Limits.DEFAULT)) {
            long since = sandbox.moment();
            GuestProcess process =
                    Ground.start(sandbox, "setsid sleep 9001 & echo ready; sleep 9002");
            awaitReady(process);
            sandbox.pause();

            sandbox.end(process, since);

            assertThat(sandbox.state()).isInstanceOf(SandboxState.Paused.class);
            sandbox.resume();
            assertThat(process.waitFor(PATIENCE).signal()).isEqualTo(9);
            assertThat(sleepers(sandbox)).isEmpty();
        }
    }

    private static void awaitReady(GuestProcess process) throws IOException {
        StringBuilder said = new StringBuilder();
        byte[] chunk = new byte[256];
        while (said.indexOf("ready\n") < 0) {
            int count = process.stdout().read(chunk, 0, chunk.length);
            assertThat(count).as("it said: " + said).isPositive();
            said.append(new String(chunk, 0, count, StandardCharsets.UTF_8));
        }
    }

    /// What the sleepers inside that are no zombies sleep, sorted.
    private static List<String> sleepers(Sandbox sandbox) throws Exception {
        String script =
                "for f in /proc/[0-9]*; do"
                        + " grep -q '^State:.Z' $f/status 2>/dev/null || tr '\\0' ' ' < $f/cmdline;"
                        + " echo; done 2>/dev/null | grep -oE '^sleep [0-9]{4}' | cut -d' ' -f2 | sort";
        return Ground.shell(sandbox, script).output().lines().toList();
    }
}
