package dev.glovebox.spec.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.spec.lab.Desk;
import dev.glovebox.spec.lab.OfficialWorker;
import dev.glovebox.spec.lab.Relay;
import dev.glovebox.spec.lab.Script;
import dev.glovebox.spec.lab.Talk;
import dev.glovebox.spec.lab.Wire;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Items 6 to 10 and 13 of the conformance checklist: whole sessions served by the official
/// `EnvironmentWorker`.
class WorkerContractIT {
    private static final Duration LEASE = Duration.ofSeconds(3);
    private static final Duration STAY = Duration.ofSeconds(60);
    private static final Duration SOON = Duration.ofSeconds(30);

    @TempDir private Path notes;
    private Desk desk;

    @BeforeEach
    void open() {
        desk = Desk.open(LEASE);
    }

    @AfterEach
    void close() {
        desk.close();
    }

    @Test
    void worker_leavesASessionAfterItsTurnAndTakesTheNext() {
        try (OfficialWorker _ = OfficialWorker.serving(desk, Duration.ofMillis(500))) {
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

    @Test
    void workerKilledInATool_secondRunsOnlyTheUnansweredCallAgain() throws IOException {
        Path log = notes.resolve("log");
        Talk talk = desk.talk();
        OfficialWorker first = OfficialWorker.serving(desk, STAY);
        try {
            talk.say(
                    new Script()
                            .bash("echo a >> " + log)
                            .bash("echo b >> " + log + "; sleep 2; echo b done"));
            Awaitility.await()
                    .atMost(SOON)
                    .until(() -> Files.exists(log) && Files.readAllLines(log).size() == 2);
            first.kill();
        } finally {
            first.close();
        }
        try (OfficialWorker _ = OfficialWorker.serving(desk, STAY)) {
            talk.awaitTurns(1, SOON);
        }
        assertThat(Files.readAllLines(log)).containsExactly("a", "b", "b");
        assertThat(talk.calls())
                .extracting(Talk.Call::text)
                .containsExactly("(no output)", "b done");
        assertThat(results(talk)).isEqualTo(2);
    }

    @Test
    void ask_runsNothingBeforeConfirmation() throws IOException {
        Path log = notes.resolve("log");
        Talk talk = desk.talk(askingAgent());
        try (OfficialWorker _ = OfficialWorker.serving(desk, Duration.ofMillis(500))) {
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
                    .until(() -> !Files.exists(log));
            talk.send(
                    Map.of(
                            "type",
                            "user.tool_confirmation",
                            "tool_use_id",
                            call,
                            "result",
                            "allow"));
            talk.awaitHistory(SOON, _ -> talk.calls().size() == 2);
            assertThat(Files.readAllLines(log)).containsExactly("ran");

            String second = talk.calls().get(1).id();
            talk.send(
                    Map.of(
                            "type",
                            "user.tool_confirmation",
                            "tool_use_id",
                            second,
                            "result",
                            "deny",
                            "deny_message",
                            "not today"));
            talk.awaitTurns(1, SOON);
            assertThat(Files.readAllLines(log)).containsExactly("ran");
            assertThat(talk.calls().get(1).state()).isEqualTo("error");
            assertThat(talk.calls().get(1).text()).contains("not today");
            awaitStopped(1);
        }
    }

    @Test
    void interrupt_closesAnOutstandingCallForEveryLaterWorker() throws IOException {
        Path log = notes.resolve("log");
        Talk talk = desk.talk().say(new Script().bash("echo late >> " + log)).awaitAction(SOON);
        talk.send(Map.of("type", "user.interrupt")).awaitTurns(1, SOON);
        assertThat(talk.calls().getFirst().state()).isEqualTo("error");
        try (OfficialWorker _ = OfficialWorker.serving(desk, Duration.ofMillis(500))) {
            talk.say(new Script().bash("echo after >> " + log)).awaitTurns(2, SOON);
            awaitStopped(1);
        }
        assertThat(Files.readAllLines(log)).containsExactly("after");
    }

    @Test
    void interrupt_whileTheToolRuns_endsTheTurnOnce() {
        Talk talk = desk.talk();
        try (OfficialWorker _ = OfficialWorker.serving(desk, STAY)) {
            talk.say(new Script().bash("touch " + notes.resolve("on") + "; sleep 2; echo late"));
            Awaitility.await().atMost(SOON).until(() -> Files.exists(notes.resolve("on")));
            talk.send(Map.of("type", "user.interrupt")).awaitTurns(1, SOON);
            talk.say(new Script().bash("echo next")).awaitTurns(2, SOON);
            assertThat(talk.calls()).hasSize(2);
            assertThat(talk.calls().getLast().text()).isEqualTo("next");
            assertThat(results(talk)).as("results in history").isEqualTo(2);
        }
    }

    @Test
    void streamCut_noCallIsLostOrDoubled() throws IOException {
        Path log = notes.resolve("log");
        Talk talk = desk.talk();
        Script script = new Script();
        for (int i = 0; i < 12; i++) {
            script.bash("echo " + i + " >> " + log + "; sleep 0.2");
        }
        try (Relay relay = Relay.to(desk.baseUrl());
                OfficialWorker _ =
                        OfficialWorker.serving(
                                relay.url(), desk.environmentId(), desk.environmentKey(), STAY)) {
            talk.say(script);
            for (int cut = 2; cut <= 8; cut += 3) {
                int lines = cut;
                Awaitility.await()
                        .atMost(SOON)
                        .until(() -> Files.exists(log) && Files.readAllLines(log).size() >= lines);
                relay.cutStreams();
            }
            talk.awaitTurns(1, SOON);
            assertThat(relay.streamsOpened()).isGreaterThan(1);
        }
        assertThat(Files.readAllLines(log))
                .containsExactly("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11");
        assertThat(results(talk)).isEqualTo(12);
    }

    @Test
    void overload_isSurvivedByPollHeartbeatAndSend() {
        try (Relay relay =
                        Relay.to(desk.baseUrl())
                                .refuse("GET .*/work/poll", 4)
                                .refuse("POST .*/heartbeat", 2)
                                .refuse("POST .*/events", 4);
                OfficialWorker worker =
                        OfficialWorker.serving(
                                relay.url(), desk.environmentId(), desk.environmentKey(), STAY)) {
            Talk talk = desk.talk().say(new Script().bash("echo through")).awaitTurns(1, SOON);
            assertThat(talk.calls().getFirst().text()).isEqualTo("through");
            assertThat(results(talk)).isEqualTo(1);
            assertThat(relay.refused()).isEqualTo(10);
            assertThat(worker.alive()).isTrue();
        }
    }

    @Test
    void revokedKey_endsTheWorker() {
        try (OfficialWorker worker =
                OfficialWorker.serving(
                        desk.baseUrl(), desk.environmentId(), "sk-ant-oat01-never", STAY)) {
            assertThat(worker.awaitExit(SOON)).isEqualTo(1);
            assertThat(worker.log()).contains("401");
        }
    }

    private String askingAgent() {
        return desk.agent(
                Map.of(
                        "type",
                        "agent_toolset_20260401",
                        "default_config",
                        Map.of("permission_policy", Map.of("type", "always_ask"))));
    }

    private static long results(Talk talk) {
        return talk.events().stream()
                .filter(event -> event.get("type").asString().equals("user.tool_result"))
                .count();
    }

    private void awaitStopped(int items) {
        Wire queue = new Wire(desk.baseUrl(), desk.environmentKey());
        Awaitility.await("stopped items")
                .atMost(SOON)
                .until(
                        () ->
                                queue.get("/v1/environments/" + desk.environmentId() + "/work")
                                        .ok()
                                        .get("data")
                                        .valueStream()
                                        .map(item -> item.get("state").asString()),
                        states -> states.filter(List.of("stopped")::contains).count() >= items);
    }
}
