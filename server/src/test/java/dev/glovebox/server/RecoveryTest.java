package dev.glovebox.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// What a control plane does after its end, and what its sessions do when something else fails.
class RecoveryTest {
    private final LineBrain brain = new LineBrain();
    private final CountDownLatch blocked = new CountDownLatch(1);
    private TestDesk desk;
    private Talk talk;
    private volatile boolean block;

    @BeforeEach
    void start() {
        desk =
                new TestDesk(
                        (request, output) -> {
                            if (block) {
                                blocked.countDown();
                                hang();
                            }
                            return brain.step(request, output);
                        },
                        Clock.systemUTC(),
                        c ->
                                c.withRetryPause(Duration.ofMillis(5))
                                        .withReapIdleAfter(Duration.ofMillis(300)));
        talk = new Talk(desk);
        talk.agent("agent_t");
    }

    @AfterEach
    void stop() {
        desk.close();
    }

    @Test
    void turnThatTheEndOfTheProcessCutOffGoesOn() throws InterruptedException {
        block = true;
        String session = talk.session("say hello\nsay bye");
        blocked.await();
        block = false;
        desk.restart();
        talk.awaitIdle(session, "end_turn");
        assertThat(talk.ids(session, "agent.message")).hasSize(2);
        // the request that was cut off has its end in the log
        assertThat(talk.ids(session, "span.model_request_start"))
                .hasSameSizeAs(talk.ids(session, "span.model_request_end"));
    }

    /// As a client library does that knows no interrupts: it fails with whatever it has.
    private static void hang() {
        try {
            new CountDownLatch(1).await();
        } catch (InterruptedException e) {
            throw new IllegalStateException("the connection was closed", e);
        }
    }

    @Test
    void openCallsOutliveTheProcess() {
        String session = talk.session("call bash\nsay done");
        talk.awaitIdle(session, "requires_action");
        String call = talk.ids(session, "agent.tool_use").getFirst();
        List<JsonNode> before = talk.events(session);
        desk.restart();
        assertThat(talk.events(session)).isEqualTo(before);
        talk.send(session, Talk.result(call, "ok")).ok();
        talk.awaitIdle(session, "end_turn");
    }

    @Test
    void stampsGoOnlyForwardAcrossARestart() {
        String session = talk.session("say one");
        talk.awaitIdle(session, "end_turn");
        desk.restart();
        talk.send(session, Talk.message("say two")).ok();
        talk.awaitLast(session, e -> talk.ids(session, "session.status_idle").size() == 2);
        List<String> stamps =
                talk.events(session).stream()
                        .map(e -> e.path("processed_at").stringValue())
                        .toList();
        assertThat(stamps).isSorted().doesNotHaveDuplicates();
    }

    @Test
    void passingFaultIsRetriedWithinTheTurn() {
        String session = talk.session("retry 3");
        talk.awaitIdle(session, "end_turn");
        assertThat(talk.types(session))
                .containsSubsequence(
                        "session.error",
                        "session.status_rescheduled",
                        "session.status_running",
                        "session.status_idle");
        assertThat(talk.ids(session, "session.status_rescheduled")).hasSize(2);
    }

    @Test
    void faultThatDoesNotPassExhaustsTheTurn() {
        String session = talk.session("retry 1000");
        talk.awaitIdle(session, "retries_exhausted");
        assertThat(talk.events(session).toString()).contains("\"exhausted\"");
    }

    @Test
    void workerOfASessionNobodyTalksToIsAskedToLeave() {
        String session = talk.session("say hello");
        talk.awaitIdle(session, "end_turn");
        String item = talk.poll().path("id").stringValue();
        String key = desk.environmentKey();
        desk.post(talk.work("/" + item + "/ack"), key, "").ok();
        desk.post(talk.work("/" + item + "/heartbeat"), key, "").ok();
        Talk.until(
                () ->
                        desk.post(talk.work("/" + item + "/heartbeat"), key, "")
                                .ok()
                                .path("state")
                                .stringValue()
                                .equals("stopping"),
                () -> desk.get(talk.work("/" + item)).response().body());
    }

    @Test
    void workerThatWaitsForAPersonIsLeftAlone() {
        String session = talk.session("call bash\nsay done");
        talk.awaitIdle(session, "requires_action");
        String item = talk.poll().path("id").stringValue();
        String key = desk.environmentKey();
        desk.post(talk.work("/" + item + "/ack"), key, "").ok();
        desk.post(talk.work("/" + item + "/heartbeat"), key, "").ok();
        String other = talk.session("say hello");
        talk.awaitIdle(other, "end_turn");
        String forgotten = talk.poll().path("id").stringValue();
        desk.post(talk.work("/" + forgotten + "/ack"), key, "").ok();
        desk.post(talk.work("/" + forgotten + "/heartbeat"), key, "").ok();
        Talk.until(() -> state(forgotten).equals("stopping"), () -> state(forgotten));
        assertThat(state(item)).isEqualTo("active");
    }

    private String state(String item) {
        return desk.get(talk.work("/" + item)).ok().path("state").stringValue();
    }

    @Test
    void twentySessionsRunSideBySide() {
        List<String> sessions =
                IntStream.range(0, 20)
                        .parallel()
                        .mapToObj(i -> talk.session("say " + i + "\ncall bash read\nsay end"))
                        .toList();
        sessions.parallelStream()
                .forEach(session -> {
                    talk.awaitIdle(session, "requires_action");
                    talk.ids(session, "agent.tool_use")
                            .forEach(c -> talk.send(session, Talk.result(c, "ok")).ok());
                    talk.awaitIdle(session, "end_turn");
                });
        for (int i = 0; i < sessions.size(); i++) {
            assertThat(talk.events(sessions.get(i)).toString())
                    .contains("\"text\":\"" + i + "\"")
                    .contains("\"text\":\"end\"");
        }
    }
}
