package dev.glovebox.worker;

import static dev.glovebox.worker.WorkerRig.await;
import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.egress.Doors;
import dev.glovebox.egress.EgressConfig;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.sandbox.Limits;
import dev.glovebox.sandbox.SandboxConfig;
import dev.glovebox.sandbox.Sandboxes;
import dev.glovebox.workspace.Workspaces;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The worker as a whole: a small control plane over real HTTP, real doors, real sandboxes.
@Timeout(120)
class WorkerIT {
    private static final String S = "sesn_1";

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
                plane.worker(state)
                        .withMaxIdle(Duration.ofMillis(100))
                        .withPlace(
                                PlaceConfig.DEFAULT
                                        .withLimits(Limits.DEFAULT.withMemory("128m"))
                                        .withPolicy(EgressPolicy.DENY_ALL));
        worker = new Worker(config, sandboxes, doors, Workspaces.open(state.resolve("ws")));
        running = Thread.ofVirtual().name("worker").start(worker::run);
    }

    @AfterEach
    void stop() throws InterruptedException {
        worker.close();
        running.join();
        doors.close();
        sandboxes.close();
        plane.close();
    }

    @Test
    void runsCommandsInASandboxAndKeepsFilesFromItemToItem() {
        plane.session(S);
        String work = plane.enqueue(S);
        assertThat(answer("id -u; echo kept > a.txt; pwd")).isEqualTo("1000\n/workspace");
        plane.endTurn(S);
        await(() -> plane.workState(work).equals("stopped"));

        plane.enqueue(S);
        assertThat(answer("cat a.txt")).isEqualTo("kept");
    }

    @Test
    void tellsTheAgentWhichDestinationWasRefused() {
        plane.session(S);
        plane.enqueue(S);

        assertThat(answer("exec 3<>/dev/tcp/203.0.113.7/443 && head -c 1 <&3; echo tried"))
                .contains("tried")
                .contains("[refused: 203.0.113.7:443, ");
        assertThat(answer("echo quiet")).isEqualTo("quiet");
    }

    @Test
    void tellsTheAgentThatACommandRanOutOfMemory() {
        plane.session(S);
        plane.enqueue(S);

        assertThat(answer("head -c 400M /dev/zero | tail; echo ended"))
                .contains("[out of memory: a process was killed, the limit is 128 MiB]");
        assertThat(answer("echo on")).isEqualTo("on");
    }

    @Test
    void startsANewSandboxWithTheSameFilesWhenOneHasEnded() {
        plane.session(S);
        plane.enqueue(S);
        assertThat(answer("echo kept > a.txt; cd /tmp; echo lost > b.txt; echo ok"))
                .isEqualTo("ok");

        String call = plane.toolUse(S, "exec sleep 43210");
        await(() -> sleeper().isPresent());
        sleeper().flatMap(ProcessHandle::parent).orElseThrow().destroyForcibly(); // its pid 1
        await(() -> !plane.results(S, call).isEmpty());

        assertThat(plane.results(S, call).getFirst())
                .isEqualTo(
                        "sandbox ended; the next call starts a new one, in which /workspace is as it was");
        assertThat(answer("pwd; cat a.txt; cat /tmp/b.txt 2>/dev/null || echo gone"))
                .isEqualTo("/workspace\nkept\ngone");
    }

    @Test
    void saysSoWhenNoSandboxCanBeHad() {
        plane.session(S);
        plane.enqueue(S);
        assertThat(answer("echo ok")).isEqualTo("ok");
        sandboxes.close();

        assertThat(answer("echo ok")).startsWith("sandbox ended");
        assertThat(answer("echo ok"))
                .isEqualTo("sandbox unavailable: this machine cannot start one now");
    }

    private static Optional<ProcessHandle> sleeper() {
        return ProcessHandle.allProcesses()
                .filter(p -> p.info().commandLine().orElse("").endsWith("sleep 43210"))
                .findFirst();
    }

    @Test
    void putsNoSecretAndNoAddressOfTheControlPlaneIntoTheSandbox() {
        plane.session(S);
        plane.enqueue(S);

        // first all of it into a file: a grep in a pipe would find its own arguments
        answer("cat /proc/*/environ /proc/*/cmdline > /tmp/seen 2>/dev/null; true");
        String secrets = "sk-ant|" + plane.address().getPort() + "|GLOVEBOX|ANTHROPIC";

        assertThat(answer("grep -acE '" + secrets + "' /tmp/seen; true")).isEqualTo("0");
        assertThat(answer("grep -acE 'HOME=/home/agent' /tmp/seen; true")).isNotEqualTo("0");
    }

    @Test
    void answersAnEchoWithinMilliseconds() {
        plane.session(S);
        plane.enqueue(S);
        for (int i = 0; i < 100; i++) {
            answer("echo warm");
        }
        long[] nanos = new long[200];
        for (int i = 0; i < nanos.length; i++) {
            long start = System.nanoTime();
            String call = plane.toolUse(S, "echo " + i);
            while (plane.results(S, call).isEmpty()) {
                LockSupport.parkNanos(100_000);
            }
            nanos[i] = System.nanoTime() - start;
        }
        Arrays.sort(nanos);
        assertThat(Duration.ofNanos(nanos[100])).isLessThan(Duration.ofMillis(50));
    }

    private String answer(String command) {
        String call = plane.toolUse(S, command);
        await(() -> !plane.results(S, call).isEmpty());
        return plane.results(S, call).getFirst();
    }
}
