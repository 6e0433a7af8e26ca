package dev.glovebox.spec.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.linux.Trees;
import dev.glovebox.spec.lab.Desk;
import dev.glovebox.spec.lab.Hands;
import dev.glovebox.spec.lab.Relay;
import dev.glovebox.spec.lab.Script;
import dev.glovebox.spec.lab.Talk;
import dev.glovebox.spec.lab.Wire;
import dev.glovebox.spec.lab.WorkerProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Items 5 to 10 and 13 of the conformance checklist: whole sessions, served by the official
/// `EnvironmentWorker`, which shows that our server keeps the contract, and by ours, which shows
/// that our worker does.
class WorkerContractIT {
    private static final Duration LEASE = Duration.ofSeconds(3);
    private static final Duration STAY = Duration.ofSeconds(60);
    private static final Duration BRIEF = Duration.ofMillis(500);
    private static final Duration SOON = Duration.ofSeconds(30);

    private Path folder;
    private Desk desk;

    @BeforeEach
    void open() throws IOException {
        folder = Files.createTempDirectory("glovebox-contract-");
        desk = Desk.open(LEASE);
    }

    @AfterEach
    void close() {
        desk.close();
        Trees.remove(folder);
    }

    @ParameterizedTest
    @EnumSource
    void worker_leavesASessionAfterItsTurnAndTakesTheNext(Hands hands) {
        try (WorkerProcess _ = hands.serving(desk, BRIEF, folder)) {
            Talk first = desk.talk().say(new Script().bash("echo one")).awaitTurns(1, SOON);
            assertThat(first.calls().getFirst().text()).isEqualTo("one");
            awaitStopped(1);
            Talk second = desk.talk().say(new Script().bash("echo two")).awaitTurns(1, SOON);
            assertThat(second.calls().getFirst().text()).isEqualTo("two");
            awaitStopped(2);
            first.say(new Script().bash("echo three")).awaitTurns(2, SOON);
            assertThat(first.calls().getLast().text()).isEqualTo("three");
        }
    }

    @ParameterizedTest
    @EnumSource
    void gracefulStop_endsTheCallUnansweredAndTheItem(Hands hands) {
        Talk talk = desk.talk();
        try (WorkerProcess worker = hands.serving(desk, STAY, folder)) {
            String on = hands.inside(folder, "on");
            talk.say(new Script().bash("touch " + on + "; sleep 60"));
            await(() -> Files.exists(hands.seen(folder, talk, "on")));
            String id = desk.wire().get("/v1/sessions/" + talk.id()).ok().get("id").asString();
            String work = queue().get(workPath()).ok().get("data").get(0).get("id").asString();
            desk.wire().post(workPath() + "/" + work + "/stop", Map.of()).ok();
            awaitStopped(1);
            assertThat(worker.alive()).isTrue();
            assertThat(id).isEqualTo(talk.id());
            assertThat(talk.calls().getFirst().state()).isEqualTo("open");
        }
    }

    @ParameterizedTest
    @EnumSource
    void workerKilledInATool_secondRunsOnlyTheUnansweredCallAgain(Hands hands) {
        String log = hands.inside(folder, "log");
        Talk talk = desk.talk();
        try (WorkerProcess first = hands.serving(desk, STAY, folder)) {
            talk.say(
                    new Script()
                            .bash("echo a >> " + log)
                            .bash("echo b >> " + log + "; sleep 2; echo b done"));
            await(() -> lines(hands, talk).size() == 2);
            first.kill();
        }
        try (WorkerProcess _ = hands.serving(desk, STAY, folder)) {
            talk.awaitTurns(1, SOON);
        }
        assertThat(lines(hands, talk)).containsExactly("a", "b", "b");
        assertThat(talk.calls())
                .extracting(Talk.Call::text)
                .containsExactly("(no output)", "b done");
        assertThat(results(talk)).isEqualTo(2);
    }

    @ParameterizedTest
    @EnumSource
    void ask_runsNothingBeforeConfirmation(Hands hands) {
        String log = hands.inside(folder, "log");
        Talk talk = desk.talk(askingAgent());
        try (WorkerProcess _ = hands.serving(desk, BRIEF, folder)) {
            talk.say(
                    new Script()
                            .bash("echo ran >> " + log)
                            .bash("echo denied >> " + log)
                            .say("end"));
            talk.awaitAction(SOON);
            String call = talk.calls().getFirst().id();
            Awaitility.await()
                    .during(Duration.ofSeconds(2))
                    .atMost(SOON)
                    .until(() -> lines(hands, talk).isEmpty());
            talk.send(
                    Map.of(
                            "type",
                            "user.tool_confirmation",
                            "tool_use_id",
                            call,
                            "result",
                            "allow"));
            talk.awaitHistory(SOON, _ -> talk.calls().size() == 2);
            assertThat(lines(hands, talk)).containsExactly("ran");

            talk.send(denial(talk.calls().get(1).id(), "not today")).awaitTurns(1, SOON);
            assertThat(lines(hands, talk)).containsExactly("ran");
            assertThat(talk.calls().get(1).state()).isEqualTo("error");
            assertThat(talk.calls().get(1).text()).contains("not today");
            awaitStopped(1);
        }
    }

    @ParameterizedTest
    @EnumSource
    void interrupt_closesAnOutstandingCallForEveryLaterWorker(Hands hands) {
        String log = hands.inside(folder, "log");
        Talk talk = desk.talk().say(new Script().bash("echo late >> " + log)).awaitAction(SOON);
        talk.send(Map.of("type", "user.interrupt")).awaitTurns(1, SOON);
        assertThat(talk.calls().getFirst().state()).isEqualTo("error");
        try (WorkerProcess _ = hands.serving(desk, BRIEF, folder)) {
            talk.say(new Script().bash("echo after >> " + log)).awaitTurns(2, SOON);
            awaitStopped(1);
        }
        assertThat(lines(hands, talk)).containsExactly("after");
    }

    @ParameterizedTest
    @EnumSource
    void interrupt_whileTheToolRuns_endsTheTurnOnce(Hands hands) {
        Talk talk = desk.talk();
        try (WorkerProcess _ = hands.serving(desk, STAY, folder)) {
            talk.say(
                    new Script()
                            .bash("touch " + hands.inside(folder, "on") + "; sleep 2; echo late"));
            await(() -> Files.exists(hands.seen(folder, talk, "on")));
            talk.send(Map.of("type", "user.interrupt")).awaitTurns(1, SOON);
            talk.say(new Script().bash("echo next")).awaitTurns(2, SOON);
            assertThat(talk.calls()).hasSize(2);
            assertThat(talk.calls().getLast().text()).isEqualTo("next");
            assertThat(results(talk)).as("results in history").isEqualTo(2);
        }
    }

    @ParameterizedTest
    @EnumSource
    void streamCut_noCallIsLostOrDoubled(Hands hands) {
        String log = hands.inside(folder, "log");
        Talk talk = desk.talk();
        Script script = new Script();
        for (int i = 0; i < 12; i++) {
            script.bash("echo " + i + " >> " + log + "; sleep 0.2");
        }
        try (Relay relay = Relay.to(desk.baseUrl());
                WorkerProcess _ = through(relay, hands)) {
            talk.say(script);
            for (int cut = 2; cut <= 8; cut += 3) {
                int enough = cut;
                await(() -> lines(hands, talk).size() >= enough);
                relay.cutStreams();
            }
            talk.awaitTurns(1, SOON);
            assertThat(relay.streamsOpened()).isGreaterThan(1);
        }
        assertThat(lines(hands, talk))
                .containsExactly("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11");
        assertThat(results(talk)).isEqualTo(12);
    }

    @ParameterizedTest
    @EnumSource
    void overload_isSurvivedByPollHeartbeatAndSend(Hands hands) {
        desk.close();
        desk = Desk.open(LEASE.multipliedBy(5)); // a result is tried again for as long as the lease
        try (Relay relay =
                        Relay.to(desk.baseUrl())
                                .refuse("GET .*/work/poll", 4)
                                .refuse("POST .*/heartbeat", 2)
                                .refuse("POST .*/events", 4);
                WorkerProcess worker = through(relay, hands)) {
            Talk talk = desk.talk().say(new Script().bash("echo through")).awaitTurns(1, SOON);
            assertThat(talk.calls().getFirst().text()).isEqualTo("through");
            assertThat(results(talk)).isEqualTo(1);
            assertThat(relay.refused()).isEqualTo(10);
            assertThat(worker.alive()).isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource
    void keyThatIsRefused_endsTheWorker(Hands hands) {
        try (WorkerProcess worker =
                hands.serving(
                        desk.baseUrl(), desk.environmentId(), "sk-ant-oat01-never", STAY, folder)) {
            assertThat(worker.awaitExit(SOON)).isEqualTo(1);
            assertThat(worker.log()).contains("401");
        }
    }

    private WorkerProcess through(Relay relay, Hands hands) {
        return hands.serving(
                relay.url(), desk.environmentId(), desk.environmentKey(), STAY, folder);
    }

    private String askingAgent() {
        return desk.agent(
                Map.of(
                        "type",
                        "agent_toolset_20260401",
                        "default_config",
                        Map.of("permission_policy", Map.of("type", "always_ask"))));
    }

    private static Map<String, String> denial(String call, String message) {
        return Map.of(
                "type",
                "user.tool_confirmation",
                "tool_use_id",
                call,
                "result",
                "deny",
                "deny_message",
                message);
    }

    private static long results(Talk talk) {
        return talk.events().stream()
                .filter(event -> event.get("type").asString().equals("user.tool_result"))
                .count();
    }

    /// What the agent's commands have written to the file `log` so far.
    private List<String> lines(Hands hands, Talk talk) {
        Path log = hands.seen(folder, talk, "log");
        try {
            return Files.exists(log) ? Files.readAllLines(log) : List.of();
        } catch (IOException e) {
            throw new UncheckedIOException("read " + log, e);
        }
    }

    private static void await(java.util.concurrent.Callable<Boolean> condition) {
        Awaitility.await().atMost(SOON).pollInterval(Duration.ofMillis(20)).until(condition);
    }

    private void awaitStopped(int items) {
        await(() ->
                queue().get(workPath())
                                .ok()
                                .get("data")
                                .valueStream()
                                .filter(item -> item.get("state").asString().equals("stopped"))
                                .count()
                        >= items);
    }

    private Wire queue() {
        return new Wire(desk.baseUrl(), desk.environmentKey());
    }

    private String workPath() {
        return "/v1/environments/" + desk.environmentId() + "/work";
    }
}
