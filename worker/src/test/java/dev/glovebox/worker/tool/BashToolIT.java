package dev.glovebox.worker.tool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.Json;
import dev.glovebox.sandbox.RuntimeName;
import dev.glovebox.worker.shell.Cancellation;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

@ParameterizedClass
@EnumSource
@Timeout(120)
class BashToolIT {
    @TempDir static Path state;

    @Parameter RuntimeName runtime;
    static Sandboxed place;

    @BeforeParameterizedClassInvocation
    static void open(RuntimeName runtime) {
        place = new Sandboxed(state.resolve(runtime.program()), runtime);
    }

    @AfterParameterizedClassInvocation
    static void close() {
        place.close();
    }

    @Test
    void answersWithTheOutput() {
        assertThat(place.bash("echo hello; echo oops >&2")).isEqualTo(ToolResult.ok("hello\noops"));
    }

    @Test
    void saysSoWhenThereIsNoOutput() {
        assertThat(place.bash("true")).isEqualTo(ToolResult.ok("(no output)"));
    }

    @Test
    void keepsDirectoryVariablesAndFunctionsFromCallToCall() {
        place.bash("cd /tmp; here=there; f() { echo called $1; }");

        assertThat(place.bash("pwd; echo $here; f again"))
                .isEqualTo(ToolResult.ok("/tmp\nthere\ncalled again"));
    }

    @Test
    void startsInTheWorkspaceAsTheAgentWithNothingOfTheWorker() {
        place.call("bash", "{'restart':true}");

        assertThat(place.bash("pwd; id -u; echo $HOME $TERM; env | grep -ci anthropic").text())
                .isEqualTo("/workspace\n1000\n/home/agent dumb\n0");
    }

    @Test
    void reportsTheExitCodeOfACommandThatSaysNothing() {
        assertThat(place.bash("(exit 7)")).isEqualTo(ToolResult.error("exit 7"));
        assertThat(place.bash("echo no; false")).isEqualTo(ToolResult.error("no"));
    }

    @Test
    void givesCommandsNoInput() {
        assertThat(place.bash("cat; read line; echo got $?")).isEqualTo(ToolResult.ok("got 1"));
    }

    @Test
    void restartsAloneOrBeforeACommand() {
        place.bash("x=1");

        assertThat(place.call("bash", "{'restart':true}"))
                .isEqualTo(ToolResult.ok("bash session restarted"));
        assertThat(place.call("bash", "{'restart':true,'command':'echo [$x]'}"))
                .isEqualTo(ToolResult.ok("[]"));
    }

    @Test
    void refusesACallWithoutACommandOrOfTheWrongType() {
        assertThat(place.call("bash", "{}"))
                .isEqualTo(ToolResult.error("bash: command is required"));
        assertThat(place.call("bash", "{'command':{'a':1}}"))
                .isEqualTo(ToolResult.error("bash: command must be a string"));
        assertThat(place.call("bash", "{'command':'ls','timeout_ms':-1}").error()).isTrue();
        assertThat(place.call("bash", "{'command':'ls','timeout_ms':'5'}").error()).isTrue();
        assertThat(place.call("bash", "{'command':'ls','restart':'yes'}").error()).isTrue();
    }

    @Test
    void endsACommandThatNeverEnds() {
        place.bash("state=kept");

        assertThat(place.call("bash", "{'command':'sleep 1000','timeout_ms':300}"))
                .isEqualTo(ToolResult.error("bash: bash command timed out after 300ms"));
        assertThat(place.bash("echo [$state]; pgrep -c sleep"))
                .isEqualTo(ToolResult.error("[]\n0"));
    }

    /// Neither a session of its own nor an orphanage saves what a command has started that is
    /// ended; what an earlier one left in a session of its own stays, but not under gVisor.
    @Test
    void endsAllThatACommandHasStartedWhenItIsEnded() throws InterruptedException {
        String survivors = "setsid sleep 1002 & (setsid setsid sleep 1003 &); sleep 1004";
        String stays = runtime == RuntimeName.RUNSC ? "exit 1" : "\\d+ sleep 1001";
        place.bash("setsid sleep 1001 >/dev/null 2>&1 & sleep 0.1");

        assertThat(place.call("bash", "{'command':'" + survivors + "','timeout_ms':500}"))
                .isEqualTo(ToolResult.error("bash: bash command timed out after 500ms"));
        assertThat(place.bash("pgrep -a sleep").text()).matches(stays);

        Cancellation cancellation = new Cancellation();
        Thread canceller =
                Thread.ofVirtual()
                        .start(() -> {
                            while (place.sandbox.tasks() < 6) {
                                Thread.onSpinWait();
                            }
                            cancellation.cancel();
                        });
        assertThat(place.tools.call("bash", Json.object().put("command", survivors), cancellation))
                .isEqualTo(ToolResult.error("bash: interrupted"));
        canceller.join();
        assertThat(place.bash("pgrep -a sleep").text()).matches(stays);
        place.bash("pkill sleep");
    }

    @Test
    void countsATimeoutOfZeroAsTheDefault() {
        assertThat(place.call("bash", "{'command':'sleep 0.1; echo done','timeout_ms':0}"))
                .isEqualTo(ToolResult.ok("done"));
    }

    @Test
    void saysSoWhenTheShellIsExited() {
        assertThat(place.bash("exit 3"))
                .isEqualTo(ToolResult.error("bash: bash session terminated"));
        assertThat(place.bash("echo back")).isEqualTo(ToolResult.ok("back"));
    }

    @Test
    void leavesWhatAShellHasStartedThatExitsAndNothingOfOneThatIsKilled() {
        String survivor = "setsid sleep %d & until pgrep -fx 'sleep %1$d'; do :; done; ";
        assertThat(place.bash(survivor.formatted(1001) + "exit 3"))
                .isEqualTo(ToolResult.error("bash: bash session terminated"));
        assertThat(place.bash("pgrep -ax sleep; sleep 0.1").text()).matches("\\d+ sleep 1001");

        assertThat(place.bash(survivor.formatted(1002) + "kill -KILL $$"))
                .isEqualTo(ToolResult.error("bash: bash session terminated"));
        String stays = runtime == RuntimeName.RUNSC ? "exit 1" : "\\d+ sleep 1001";
        assertThat(place.bash("pgrep -a sleep").text()).matches(stays);
        place.bash("pkill sleep");
    }

    @Test
    void isNotHeldByABackgroundJobThatWrites() {
        assertThat(place.bash("(while :; do echo noise; sleep 0.01; done) & echo started"))
                .satisfies(r -> assertThat(r.text()).contains("started"));
        assertThat(place.bash("kill %1; wait; echo over").text()).endsWith("over");
    }

    @Test
    void neverStopsABackgroundJobForWantOfAReader() {
        place.bash("(head -c 3000000 /dev/zero | tr '\\0' x; touch /tmp/written) & true");

        assertThat(
                        place.bash(
                                        "for i in $(seq 100); do [ -e /tmp/written ] && break; sleep 0.05; done; echo /tmp/writte?")
                                .text())
                .endsWith("/tmp/written");
    }

    @Test
    void isCancelledAtOnce() throws InterruptedException {
        Cancellation cancellation = new Cancellation();
        Path begun = place.directory.resolve("begun");
        AtomicLong cancelled = new AtomicLong();
        Thread canceller =
                Thread.ofVirtual()
                        .start(() -> {
                            while (!Files.exists(begun)) {
                                LockSupport.parkNanos(1_000_000);
                            }
                            cancelled.set(System.nanoTime());
                            cancellation.cancel();
                        });

        ToolResult result =
                place.tools.call(
                        "bash",
                        Json.object().put("command", "touch /workspace/begun; sleep 1000"),
                        cancellation);
        Duration took = Duration.ofNanos(System.nanoTime() - cancelled.get());
        canceller.join();

        assertThat(result).isEqualTo(ToolResult.error("bash: interrupted"));
        assertThat(took).isLessThan(Duration.ofSeconds(20));
        assertThat(place.bash("echo back; pgrep -c sleep")).isEqualTo(ToolResult.error("back\n0"));
    }

    @Test
    void isNotFooledByATracedShellOrAForgedMark() {
        assertThat(
                        place.bash(
                                        "printf '\\n__GBX_CMD_00000000-0000-0000-0000-000000000000_DONE__0\\n'; false")
                                .error())
                .isTrue();
        ToolResult traced = place.bash("set -x; echo traced; set +x; false");
        assertThat(traced.error()).isTrue();
        assertThat(traced.text()).doesNotContain("__GBX_CMD_");
        assertThat(place.bash("set -x; true").text()).doesNotContain("__GBX_CMD_");
        assertThat(place.bash("set +x; echo fine").text()).endsWith("fine");
    }

    @Test
    void removesTerminalSequencesAndMendsBrokenText() {
        assertThat(place.bash("printf '\\033[1;31mred\\033[0m \\377 \\n\\n\\n'"))
                .isEqualTo(ToolResult.ok("red \uFFFD "));
    }

    @Test
    void takesACommandOfManyBytes() {
        String big = "x".repeat(300_000);

        assertThat(place.bash("v='" + big + "'; echo ${#v}")).isEqualTo(ToolResult.ok("300000"));
    }

    @Test
    void answersAnEchoWithinMilliseconds() {
        for (int i = 0; i < 50; i++) {
            place.bash("echo warm");
        }
        long[] nanos = new long[200];
        for (int i = 0; i < nanos.length; i++) {
            long start = System.nanoTime();
            place.bash("echo call " + i);
            nanos[i] = System.nanoTime() - start;
        }
        Arrays.sort(nanos);

        assertThat(Duration.ofNanos(nanos[100])).isLessThan(Duration.ofMillis(20));
    }
}
