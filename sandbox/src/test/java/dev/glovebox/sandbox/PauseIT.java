package dev.glovebox.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.linux.cgroup.Cgroup;
import dev.glovebox.sandbox.SandboxException.Band;
import dev.glovebox.sandbox.guest.GuestException;
import dev.glovebox.sandbox.guest.GuestProcess;
import dev.glovebox.sandbox.guest.ProcessRequest;
import dev.glovebox.sandbox.guest.WriteOptions;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The states of a sandbox and the ways between them. Needs root.
class PauseIT {
    @RegisterExtension static final Grounds GROUNDS = new Grounds();

    /// A sandbox beside it that counts too shows how much time there was in which nothing happened.
    @ParameterizedTest
    @EnumSource
    void aPausedSandboxStandsStillAndGoesOnWhereItWas(RuntimeName runtime) throws Exception {
        Ground ground = GROUNDS.under(runtime);
        Path count = ground.workspace("s").resolve("count");
        Path other = ground.workspace("control").resolve("count");
        try (Sandbox sandbox = ground.sandbox("s", Limits.DEFAULT);
                Sandbox control = ground.sandbox("control", Limits.DEFAULT);
                GuestProcess counter = counter(sandbox);
                GuestProcess _ = counter(control)) {
            Ground.await("both count", () -> number(count) > 0 && number(other) > 0);

            sandbox.pause();

            assertThat(sandbox.state()).isInstanceOf(SandboxState.Paused.class);
            long before = number(count);
            Duration used = sandbox.cpuTime();
            long start = number(other);
            Ground.await("the control has counted on", () -> number(other) > start + 100);
            assertThat(number(count)).isEqualTo(before);
            assertThat(sandbox.cpuTime()).isEqualTo(used);

            sandbox.resume();

            assertThat(sandbox.state()).isInstanceOf(SandboxState.Ready.class);
            Ground.await("it counts on", () -> number(count) > before);
            assertThat(counter.exit()).isEmpty();
        }
    }

    /// The others are processes of the worker, which has the weight of ten sandboxes.
    @ParameterizedTest
    @EnumSource
    void aPauseDoesNotWaitUntilOthersAreDone(RuntimeName runtime) throws Exception {
        Ground ground = GROUNDS.under(runtime);
        try (Closeable _ = Ground.busyWorker();
                Sandbox sandbox = ground.sandbox("s", Limits.DEFAULT);
                GuestProcess _ = bash(sandbox, Ground.SPIN)) {
            for (int i = 0; i < 20; i++) {
                Duration before = sandbox.cpuTime();
                sandbox.pause();
                assertThat(sandbox.group().weight()).isLessThanOrEqualTo(Cgroup.WEIGHT);
                sandbox.resume();
                Ground.await("it goes on", () -> sandbox.cpuTime().compareTo(before) > 0);
            }
        }
    }

    private static GuestProcess counter(Sandbox sandbox) {
        return bash(
                sandbox,
                "cd /workspace; i=0; while :; do echo $((++i)) > next; mv next count; done");
    }

    @ParameterizedTest
    @EnumSource
    void callsOnAPausedSandboxAreRefusedAtOnce(RuntimeName runtime) throws Exception {
        try (Sandbox sandbox = GROUNDS.under(runtime).sandbox("s", Limits.DEFAULT)) {
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
    @ParameterizedTest
    @EnumSource
    void aCallUnderWayKeepsItsOutputAndItsTime(RuntimeName runtime) throws Exception {
        try (Sandbox sandbox = GROUNDS.under(runtime).sandbox("s", Limits.DEFAULT);
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

    @ParameterizedTest
    @EnumSource
    void aPausedSandboxCanBeClosedAndLeavesNothing(RuntimeName runtime) throws Exception {
        Sandbox sandbox = GROUNDS.under(runtime).sandbox("s", Limits.DEFAULT);
        bash(sandbox, "trap '' TERM; sleep 1000");
        sandbox.pause();

        sandbox.close();

        assertThat(sandbox.group().exists()).isFalse();
        assertThat(ended(sandbox).reason()).isEqualTo(new SandboxState.Reason.Closed());
        refusedAsEnded(sandbox::pause);
        refusedAsEnded(sandbox::resume);
    }

    /// Under gVisor it is gVisor that is killed.
    @ParameterizedTest
    @EnumSource
    void aKilledPidOneIsTold(RuntimeName runtime) throws Exception {
        try (Sandbox sandbox = GROUNDS.under(runtime).sandbox("s", Limits.DEFAULT)) {
            CompletableFuture<SandboxState.Ended> told = new CompletableFuture<>();
            sandbox.onEnd(told::complete);
            int init =
                    runtime == RuntimeName.RUNSC
                            ? sandbox.processes().iterator().next()
                            : sandbox.init();
            assertThat(told).isNotDone();

            ProcessHandle.of(init).orElseThrow().destroyForcibly();

            SandboxState.Ended end = told.get(60, TimeUnit.SECONDS);
            assertThat(end.reason()).isInstanceOf(SandboxState.Reason.Crashed.class);
            assertThat(sandbox.state()).isEqualTo(end);
            refusedAsEnded(sandbox::pause);
            sandbox.onEnd(late -> assertThat(late).isEqualTo(end));
        }
    }

    /// Under gVisor want of memory ends the sandbox itself ([GvisorBombsIT]).
    @ParameterizedTest
    @EnumSource(names = {"CRUN", "RUNC"})
    void aPidOneThatGoesAfterAKillForWantOfMemoryIsToldAsSuch(RuntimeName runtime)
            throws Exception {
        try (Sandbox sandbox =
                GROUNDS.under(runtime).sandbox("s", Limits.DEFAULT.withMemory("32m"))) {
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

    private static long number(Path file) {
        try {
            return Files.exists(file) ? Long.parseLong(Files.readString(file).strip()) : 0;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
