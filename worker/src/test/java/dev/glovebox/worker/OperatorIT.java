package dev.glovebox.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.worker.OperatorRig.Ran;
import dev.glovebox.worker.operator.Frame;
import dev.glovebox.worker.operator.OperatorChannel;
import dev.glovebox.worker.operator.OperatorException;
import dev.glovebox.worker.operator.Request;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// What an operator can do to the sandbox of a living session. Needs root.
@Timeout(180)
class OperatorIT {
    private static final Optional<Request.Screen> TERMINAL =
            Optional.of(new Request.Screen("xterm", 24, 80));

    @TempDir Path state;
    private OperatorRig rig;

    @BeforeEach
    void start() {
        rig = new OperatorRig(state);
    }

    @AfterEach
    void stop() {
        rig.close();
    }

    @Test
    void list_tellsWhatASandboxIsAndUses() {
        JsonNode one = rig.sandbox();
        assertThat(one.path("session_id").asString()).isEqualTo(OperatorRig.SESSION);
        assertThat(one.path("name").asString()).isNotEmpty();
        assertThat(one.path("state").asString()).isEqualTo("ready");
        assertThat(one.path("template").asString()).isEqualTo("base");
        assertThat(one.path("profile").asString()).isEqualTo("strict");
        assertThat(one.path("runtime").asString()).isIn("crun", "runc");
        assertThat(one.path("memory_bytes").asLong()).isBetween(1L << 16, 128L << 20);
        assertThat(one.path("memory_limit_bytes").asLong()).isEqualTo(128L << 20);
        assertThat(one.path("tasks").asLong()).isBetween(2L, 20L);
        assertThat(one.path("calls").asLong()).isEqualTo(1);
        long before = one.path("cpu_millis").asLong();
        rig.answer("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done");
        assertThat(rig.sandbox().path("cpu_millis").asLong()).isGreaterThan(before + 10);
        rig.answer("exec 3<>/dev/tcp/203.0.113.7/443 && head -c 1 <&3; true");
        assertThat(rig.sandbox().path("refused").asLong()).isPositive();
        rig.answer("tail /dev/zero; true");
        assertThat(rig.sandbox().path("oom_kills").asLong()).isPositive();
    }

    @Test
    void list_showsSandboxesThatWaitAndNobodyCanRunAnythingInThem() {
        WorkerRig.await(() -> waiting().isPresent());
        JsonNode warm = waiting().orElseThrow();
        assertThat(warm.path("session_id").asString()).isEmpty();
        assertThat(warm.path("memory_bytes").asLong()).isPositive();
        String name = warm.path("name").asString();
        Request.Exec exec = new Request.Exec(name, List.of("true"), Optional.empty());
        assertThatThrownBy(() -> rig.client.exec(exec))
                .isInstanceOf(OperatorException.class)
                .hasMessageContaining("no sandbox '" + name + "'");
    }

    private Optional<JsonNode> waiting() {
        return StreamSupport.stream(
                        rig.client.ask(new Request.Look("")).path("sandboxes").spliterator(), false)
                .filter(one -> one.path("state").asString().equals("warm"))
                .findFirst();
    }

    @Test
    void aName_isASandboxASessionOrTheBeginningOfEither() {
        String name = rig.sandbox().path("name").asString();
        for (String text : new String[] {name, OperatorRig.SESSION, "ses", "s"}) {
            assertThat(rig.client.ask(new Request.Look(text)).path("sandboxes").size()).isOne();
        }
        assertThatThrownBy(() -> rig.client.ask(new Request.Pause("other")))
                .isInstanceOf(OperatorException.class)
                .hasMessage("no sandbox 'other'; there are: " + OperatorRig.SESSION);
        assertThatThrownBy(() -> rig.client.ask(new Request.Pause("")))
                .isInstanceOf(OperatorException.class);
    }

    @Test
    void exec_passesInputOutputErrorAndExitCodeAndLeavesTheAgentsShellAlone() {
        rig.answer("cd /tmp; x=kept");
        Ran ran = rig.exec("words\n", "sh", "-c", "cat; pwd; id -u; echo to-error >&2; exit 3");
        assertThat(ran.out()).isEqualTo("words\n/workspace\n1000\n");
        assertThat(ran.err()).isEqualTo("to-error\n");
        assertThat(ran.end()).isEqualTo(new Frame.Exit(3, 0));
        assertThat(rig.answer("pwd; echo $x")).isEqualTo("/tmp\nkept");
        assertThat(rig.exec("", "sh", "-c", "kill -9 $$").end()).isEqualTo(new Frame.Exit(-1, 9));
        assertThatThrownBy(() -> rig.exec("", "/no/such"))
                .isInstanceOf(OperatorException.class)
                .hasMessageContaining("/no/such: no such program");
    }

    @Test
    void exec_aMegabyteOfInputAndOutputGoesThroughUnchanged() {
        String text = "0123456789abcdef".repeat(64 * 1024);
        assertThat(rig.exec(text, "cat").out()).isEqualTo(text);
    }

    @Test
    void exec_countsToTheSandboxsMemoryAndTellsNoSecretOfTheWorker() {
        Ran hog = rig.exec("", "sh", "-c", "head -c 400M /dev/zero | tail >/dev/null; echo on");
        assertThat(hog.out()).isEqualTo("on\n");
        assertThat(rig.sandbox().path("oom_kills").asLong()).isPositive();
        assertThat(rig.exec("", "env").out())
                .contains("HOME=/home/agent")
                .doesNotContain("ANTHROPIC", "GLOVEBOX", FakeControlPlane.KEY);
    }

    @Test
    void attach_givesATerminalOfTheAskedSizeThatCanBeResizedAndInterrupted() throws IOException {
        try (OperatorChannel shell = rig.start(TERMINAL, "bash", "--norc")) {
            OperatorRig.type(shell, "stty size; tty; echo $TERM\n");
            assertThat(OperatorRig.readUntil(shell, "xterm\r\n"))
                    .contains("24 80\r\n")
                    .contains("/dev/pts/");
            shell.write(new Frame.Resize(40, 132));
            OperatorRig.type(shell, "stty size\n");
            OperatorRig.readUntil(shell, "40 132\r\n");
            OperatorRig.type(shell, "sleep 1000 || echo \"was $?\"\n");
            OperatorRig.readUntil(shell, "sleep 1000");
            WorkerRig.await(() -> rig.inside("sleep 1000") > 0);
            OperatorRig.type(shell, "\u0003");
            OperatorRig.type(shell, "echo last=$?\n");
            OperatorRig.readUntil(shell, "last=130\r\n");
            assertThat(rig.sandbox().path("operators").asInt()).isOne();
            OperatorRig.type(shell, "exit 5\n");
            Frame frame = shell.read().orElseThrow();
            while (!(frame instanceof Frame.Exit)) {
                frame = shell.read().orElseThrow();
            }
            assertThat(frame).isEqualTo(new Frame.Exit(5, 0));
        }
        WorkerRig.await(() -> rig.sandbox().path("operators").asInt() == 0);
    }

    @Test
    void attach_whenTheClientIsGoneTheCommandIsHungUpAndGone() throws IOException {
        try (OperatorChannel shell = rig.start(TERMINAL, "bash", "--norc")) {
            OperatorRig.type(shell, "sleep 2345\n");
            WorkerRig.await(() -> rig.inside("sleep 2345") > 0);
        }
        WorkerRig.await(() -> rig.inside("sleep 2345") == 0);
        try (OperatorChannel trap =
                rig.start(
                        TERMINAL,
                        "sh",
                        "-c",
                        "trap 'echo hup > why; exit' HUP; echo set; while :; do sleep 0.1; done")) {
            OperatorRig.readUntil(trap, "set");
        }
        WorkerRig.await(() -> rig.answer("cat why").equals("hup"));
    }

    @Test
    void attach_whoIgnoresTheHangUpIsKilled() throws IOException {
        try (OperatorChannel stubborn =
                rig.start(Optional.empty(), "sh", "-c", "trap '' HUP; sleep 3456; sleep 3456")) {
            stubborn.write(new Frame.InputEnd());
            WorkerRig.await(() -> rig.inside("sleep 3456") > 0);
        }
        WorkerRig.await(() -> rig.inside("sleep 3456") == 0);
    }

    @Test
    void attach_aDetachedCommandGoesOnWithItsOutputDropped() throws IOException {
        try (OperatorChannel shell =
                rig.start(
                        TERMINAL,
                        "sh",
                        "-c",
                        "i=0; while [ $i -lt 9 ]; do seq 100000; i=$((i+1)); done; echo > done")) {
            OperatorRig.readUntil(shell, "100");
            shell.write(new Frame.Detach());
            while (shell.read().isPresent()) {
                // what was under way
            }
        }
        WorkerRig.await(() -> rig.answer("ls").contains("done"));
        WorkerRig.await(() -> rig.sandbox().path("operators").asInt() == 0);
    }

    @Test
    void logs_holdTheLastCallsOfAgentAndOperatorsAndCanBeFollowed() throws Exception {
        rig.answer("printf 'a\\033]0;title\\007b\\n'; false");
        rig.exec("", "sh", "-c", "exit 4");
        JsonNode logs = rig.logs();
        JsonNode agent = logs.path("calls").path(1);
        assertThat(agent.path("who").asString()).isEqualTo("agent");
        assertThat(agent.path("tool").asString()).isEqualTo("bash");
        assertThat(agent.path("outcome").asString()).isEqualTo("error");
        assertThat(agent.path("input").asString()).startsWith("printf");
        JsonNode operator = logs.path("calls").path(2);
        assertThat(operator.path("who").asString()).isEqualTo("operator");
        assertThat(operator.path("outcome").asString()).isEqualTo("exit 4");
        assertThat(operator.path("input").asString()).contains("exit 4").contains("root");

        long last = logs.path("last").asLong();
        Thread later = Thread.ofVirtual().start(() -> rig.answer("echo fresh"));
        JsonNode more = rig.client.ask(new Request.Logs(OperatorRig.SESSION, last, true));
        assertThat(more.path("calls").path(0).path("output").asString()).isEqualTo("fresh");
        later.join();
    }

    @Test
    void pause_freezesRefusesNewCallsAndResumeLetsThemRun() {
        rig.client.ask(new Request.Pause(OperatorRig.SESSION));
        assertThat(rig.sandbox().path("state").asString()).isEqualTo("paused");
        assertThatThrownBy(() -> rig.exec("", "true"))
                .isInstanceOf(OperatorException.class)
                .hasMessageContaining("sandbox resume");
        assertThat(rig.answer("echo now")).contains("paused by the operator");
        rig.client.ask(new Request.Resume(OperatorRig.SESSION));
        assertThat(rig.answer("echo now")).isEqualTo("now");
        assertThat(rig.exec("", "echo", "too").out()).isEqualTo("too\n");
    }

    @Test
    void delete_endsARunningCallAndTheSessionGoesOnInANewSandbox() throws Exception {
        rig.answer("echo kept > file; echo");
        String first = rig.sandbox().path("name").asString();
        String call = rig.ask("sleep 1000");
        WorkerRig.await(() -> rig.sandbox().path("state").asString().equals("busy"));
        rig.client.ask(new Request.Delete(first));
        WorkerRig.await(() -> rig.answered(call));
        assertThat(rig.plane.results(OperatorRig.SESSION, call).getFirst())
                .contains("sandbox ended by the operator");
        assertThat(rig.answer("cat file")).isEqualTo("kept");
        assertThat(rig.sandbox().path("name").asString()).isNotEqualTo(first);
    }

    @Test
    void drain_tellsWhoIsAttachedThatTheSandboxHasEnded() throws IOException {
        try (OperatorChannel shell = rig.start(TERMINAL, "bash", "--norc")) {
            OperatorRig.type(shell, "echo re''ady\n");
            OperatorRig.readUntil(shell, "ready\r\n");
            rig.worker.drain();
            Frame frame = shell.read().orElseThrow();
            while (!(frame instanceof Frame.Lost)) {
                frame = shell.read().orElseThrow();
            }
            rig.join();
            assertThat(shell.read()).isEmpty();
        }
    }
}
