package dev.glovebox.spec.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.spec.lab.Desk;
import dev.glovebox.spec.lab.OwnWorker;
import dev.glovebox.spec.lab.Script;
import dev.glovebox.spec.lab.Talk;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// What an agent or a client does wrong, through our server, our worker and a real sandbox: each
/// call ends in words that help the one who caused it, and the worker goes on with the next
/// session.
class BadInputIT {
    private static final Duration TURN = Duration.ofSeconds(60);
    private static final Duration FLOOD = Duration.ofSeconds(150);
    private static final long MEBIBYTE = 1 << 20;

    private static Desk desk;
    private static OwnWorker worker;

    @BeforeAll
    static void open() {
        desk = Desk.open();
        worker = OwnWorker.serving(desk);
    }

    @AfterAll
    static void close() {
        worker.close();
        desk.close();
    }

    @AfterEach
    void nextSessionWorks() {
        Talk next = desk.talk().say(new Script().bash("echo still here")).awaitTurns(1, TURN);
        assertThat(next.calls().getFirst().text()).isEqualTo("still here");
    }

    @Test
    void workOfADeletedSession() {
        worker.close();
        Talk talk = desk.talk().say(new Script().bash("echo never")).awaitAction(TURN);
        desk.wire().delete("/v1/sessions/" + talk.id()).ok();
        worker = OwnWorker.serving(desk);
        assertThat(desk.wire().get("/v1/sessions/" + talk.id()).status()).isEqualTo(404);
    }

    @Test
    void workOfAnArchivedSession() {
        worker.close();
        Talk talk = desk.talk().say(new Script().bash("echo never")).awaitAction(TURN);
        desk.wire().post("/v1/sessions/" + talk.id() + "/archive").ok();
        worker = OwnWorker.serving(desk);
        assertThat(talk.session().get("status").asString()).isEqualTo("terminated");
    }

    @Test
    void sessionDeletedWhileACommandRuns() {
        Talk talk =
                desk.talk().say(new Script().bash("touch /tmp/on; sleep 300")).awaitAction(TURN);
        desk.wire().delete("/v1/sessions/" + talk.id()).ok();
        assertThat(desk.wire().get("/v1/sessions/" + talk.id()).status()).isEqualTo(404);
    }

    @Test
    void outputOfTenGibibytes() {
        desk.talk()
                .say(new Script().bash("head -c 50M /dev/zero | tr '\\0' x"))
                .awaitTurns(1, TURN);
        long before = heapInUse();
        Talk talk =
                desk.talk()
                        .say(new Script().bash("head -c 10G /dev/zero; echo; echo the end"))
                        .awaitTurns(1, FLOOD);
        Talk.Call call = talk.calls().getFirst();
        assertThat(call.state()).isEqualTo("ok");
        assertThat(call.text()).startsWith("[output truncated]").endsWith("the end");
        assertThat(call.text().length()).isBetween(50_000, 103_000);
        assertThat(heapInUse() - before)
                .as("bytes the worker and the desk hold after it")
                .isLessThan(8 * MEBIBYTE);
    }

    @Test
    void commandsThatNeverEnd() {
        Talk talk =
                desk.talk()
                        .say(
                                new Script()
                                        .tool(
                                                "bash",
                                                Map.of(
                                                        "command",
                                                        "sleep infinity",
                                                        "timeout_ms",
                                                        500))
                                        .tool(
                                                "bash",
                                                Map.of(
                                                        "command",
                                                        "trap '' TERM INT HUP; while :; do :; done",
                                                        "timeout_ms",
                                                        500))
                                        .tool(
                                                "bash",
                                                Map.of(
                                                        "command",
                                                        "yes > /dev/null",
                                                        "timeout_ms",
                                                        500))
                                        .tool("bash", Map.of("command", "yes", "timeout_ms", 500))
                                        .tool(
                                                "bash",
                                                Map.of(
                                                        "command",
                                                        "setsid sleep 1234 & disown; wait",
                                                        "timeout_ms",
                                                        500))
                                        .bash("echo goes on"))
                        .awaitTurns(1, TURN);
        assertThat(talk.calls().subList(0, 4))
                .allSatisfy(call -> {
                    assertThat(call.state()).isEqualTo("error");
                    assertThat(call.text()).contains("timed out");
                });
        assertThat(talk.calls().getLast().text()).isEqualTo("goes on");
    }

    @Test
    void inputsWithMissingAndMistypedFields() {
        Script script = new Script();
        for (String tool : List.of("bash", "read", "write", "edit", "glob", "grep")) {
            script.tool(tool, Map.of());
            script.tool(
                    tool,
                    Map.of(
                            "command",
                            Map.of("a", 1),
                            "file_path",
                            List.of(1),
                            "pattern",
                            true,
                            "content",
                            1,
                            "old_string",
                            2));
        }
        Talk talk = desk.talk().say(script.bash("echo goes on")).awaitTurns(1, TURN);
        assertThat(talk.calls().subList(0, 12))
                .allSatisfy(call -> {
                    assertThat(call.state()).as("%s", call).isEqualTo("error");
                    assertThat(call.text()).as("%s", call).startsWith(call.tool() + ":");
                });
        assertThat(talk.calls().getLast().text()).isEqualTo("goes on");
    }

    @Test
    void pathsOutsideAndThingsThatAreNoFiles() {
        Talk talk =
                desk.talk()
                        .say(
                                new Script()
                                        .bash(
                                                "ln -s /etc/passwd secret; mkfifo pipe; printf 'a\\0b' > bin")
                                        .tool("read", Map.of("file_path", "/etc/passwd"))
                                        .tool("read", Map.of("file_path", "secret"))
                                        .tool("read", Map.of("file_path", "../proc/1/environ"))
                                        .tool(
                                                "write",
                                                Map.of(
                                                        "file_path",
                                                        "/etc/cron.d/x",
                                                        "content",
                                                        "x"))
                                        .tool("read", Map.of("file_path", "pipe"))
                                        .tool("read", Map.of("file_path", "bin"))
                                        .bash("echo goes on"))
                        .awaitTurns(1, TURN);
        assertThat(talk.calls().subList(1, 6)).extracting(Talk.Call::state).containsOnly("error");
        assertThat(talk.calls().subList(1, 5))
                .allSatisfy(call ->
                        assertThat(call.text())
                                .contains("outside the session's working directory"));
        assertThat(talk.calls().get(5).text()).contains("not a regular file");
        assertThat(talk.calls().getLast().text()).isEqualTo("goes on");
    }

    @Test
    void commandThatEatsAllMemory() {
        Talk talk =
                desk.talk()
                        .say(
                                new Script()
                                        .bash(
                                                "exec 2>/dev/null; bash -c 'x=x; while :; do x=$x$x; done'")
                                        .bash("echo goes on"))
                        .awaitTurns(1, TURN);
        assertThat(talk.calls().getFirst().state()).isEqualTo("error");
        assertThat(talk.calls().getLast().text()).isEqualTo("goes on");
    }

    private static long heapInUse() {
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }
}
