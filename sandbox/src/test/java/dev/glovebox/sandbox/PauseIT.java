package dev.glovebox.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.sandbox.SandboxException.Band;
import dev.glovebox.sandbox.guest.GuestException;
import dev.glovebox.sandbox.guest.GuestProcess;
import dev.glovebox.sandbox.guest.ProcessRequest;
import dev.glovebox.sandbox.guest.WriteOptions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The states of a sandbox and the ways between them. Needs root.
class PauseIT {
    @RegisterExtension static final Grounds GROUNDS = new Grounds();

    @ParameterizedTest
    @EnumSource(names = {"CRUN", "RUNC"})
    void aPausedSandboxStandsStillAndGoesOnWhereItWas(RuntimeName runtime) throws Exception {
        Ground ground = GROUNDS.under(runtime);
        Path count = ground.workspace("s").resolve("count");
        try (Sandbox sandbox = ground.sandbox("s", Limits.DEFAULT);
                GuestProcess counter =
                        bash(
                                sandbox,
                                "i=0; while :; do ((i++)); echo $i > /workspace/count; done")) {
            Ground.await("it counts", () -> size(count) > 0);

            sandbox.pause();

            assertThat(sandbox.state()).isInstanceOf(SandboxState.Paused.class);
            String before = Files.readString(count);
            Thread.sleep(200); // the time in which nothing may happen
            assertThat(Files.readString(count)).isEqualTo(before);

            sandbox.resume();

            assertThat(sandbox.state()).isInstanceOf(SandboxState.Ready.class);
            Ground.await("it counts on", () -> !read(count).equals(before));
            assertThat(counter.exit()).isEmpty();
        }
    }

    @Test
    void callsOnAPausedSandboxAreRefusedAtOnce() throws Exception {
        try (Sandbox sandbox = GROUNDS.under(RuntimeName.CRUN).sandbox("s", Limits.DEFAULT)) {
            sandbox.pause();
            sandbox.pause();

            refused(() -> bash(sandbox, "echo"));
            refused(() -> sandbox.guest().stat("/tmp", true));
            refused(() -> sandbox.guest().list("/tmp", 10));
            refused(() -> sandbox.guest().read("/etc/passwd", 0, 10));
            refused(() -> sandbox.guest().write("/tmp/f", new byte[1], WriteOptions.DEFAULT));
            refused(() -> sandbox.guest().remove("/tmp/f", false));

            sandbox.resume();
            sandbox.resume();
            assertThat(Ground.run(sandbox, "/bin/echo", "on").output()).isEqualTo("on\n");
        }
    }

    /// Output from before the pause is there, the deadline of the wait does not run out, and the
    /// rest comes after it.
    @Test
    void aCallUnderWayKeepsItsOutputAndItsTime() throws Exception {
        try (Sandbox sandbox = GROUNDS.under(RuntimeName.CRUN).sandbox("s", Limits.DEFAULT);
                GuestProcess process = bash(sandbox, "echo one; sleep 0.3; echo two")) {
            Ground.await("the first line", () -> available(process) > 0);
            sandbox.pause();
            CompletableFuture<Integer> exit =
                    CompletableFuture.supplyAsync(() -> exitWithin(process, Duration.ofSeconds(2)));

            assertThatThrownBy(() -> exit.get(3, TimeUnit.SECONDS))
                    .isInstanceOf(TimeoutException.class);

            sandbox.resume();
            assertThat(exit.get(60, TimeUnit.SECONDS)).isZero();
            assertThat(new String(process.stdout().readAllBytes(), StandardCharsets.UTF_8))
                    .isEqualTo("one\ntwo\n");
        }
    }

    @Test
    void aPausedSandboxCanBeClosedAndLeavesNothing() throws Exception {
        Sandbox sandbox = GROUNDS.under(RuntimeName.CRUN).sandbox("s", Limits.DEFAULT);
        bash(sandbox, "trap '' TERM; sleep 1000");
        sandbox.pause();

        sandbox.close();

        assertThat(sandbox.group().exists()).isFalse();
        assertThat(ended(sandbox).reason()).isEqualTo(new SandboxState.Reason.Closed());
        refusedAsEnded(sandbox::pause);
        refusedAsEnded(sandbox::resume);
    }

    @Test
    void aKilledPidOneIsTold() throws Exception {
        try (Sandbox sandbox = GROUNDS.under(RuntimeName.CRUN).sandbox("s", Limits.DEFAULT)) {
            CompletableFuture<SandboxState.Ended> told = new CompletableFuture<>();
            sandbox.onEnd(told::complete);
            int init = sandbox.init();
            assertThat(told).isNotDone();

            ProcessHandle.of(init).orElseThrow().destroyForcibly();

            SandboxState.Ended end = told.get(60, TimeUnit.SECONDS);
            assertThat(end.reason()).isInstanceOf(SandboxState.Reason.Crashed.class);
            assertThat(sandbox.state()).isEqualTo(end);
            refusedAsEnded(sandbox::pause);
            sandbox.onEnd(late -> assertThat(late).isEqualTo(end));
        }
    }

    @Test
    void aPidOneThatGoesAfterAKillForWantOfMemoryIsToldAsSuch() throws Exception {
        try (Sandbox sandbox =
                GROUNDS.under(RuntimeName.CRUN).sandbox("s", Limits.DEFAULT.withMemory("32m"))) {
            CompletableFuture<SandboxState.Ended> told = new CompletableFuture<>();
            sandbox.onEnd(told::complete);
            Ground.shell(sandbox, "tail /dev/zero");
            assertThat(sandbox.oomKills()).isPositive();
            int init = sandbox.init();

            ProcessHandle.of(init).orElseThrow().destroyForcibly();

            assertThat(told.get(60, TimeUnit.SECONDS).reason())
                    .isEqualTo(new SandboxState.Reason.OutOfMemory());
        }
    }

    private interface Call {
        void run() throws Exception;
    }

    private static void refused(Call call) {
        assertThatThrownBy(call::run)
                .isInstanceOfSatisfying(
                        GuestException.class, e -> assertThat(e.code()).isEqualTo("EBUSY"));
    }

    private static void refusedAsEnded(Call call) {
        assertThatThrownBy(call::run)
                .isInstanceOfSatisfying(
                        SandboxException.class, e -> assertThat(e.band()).isEqualTo(Band.CALLER))
                .hasMessageContaining("has ended");
    }

    private static SandboxState.Ended ended(Sandbox sandbox) {
        return (SandboxState.Ended) sandbox.state();
    }

    private static GuestProcess bash(Sandbox sandbox, String script) {
        return sandbox.guest()
                .start(
                        ProcessRequest.of(
                                List.of("/bin/bash", "-c", script), sandbox.environment(), "/"));
    }

    private static int exitWithin(GuestProcess process, Duration time) {
        try {
            return process.waitFor(time).code();
        } catch (TimeoutException e) {
            return -1;
        }
    }

    private static int available(GuestProcess process) {
        return process.stdout().available();
    }

    private static long size(Path file) {
        return file.toFile().length();
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return "";
        }
    }
}
