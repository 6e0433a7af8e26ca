package dev.glovebox.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.work.WorkSecret;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// The queue as a worker meets it.
class WorkTest {
    private TestDesk desk;
    private Talk talk;

    @BeforeEach
    void start() {
        desk =
                new TestDesk(
                        new LineBrain(),
                        Clock.systemUTC(),
                        c -> c.withLeaseTtl(Duration.ofSeconds(2)));
        talk = new Talk(desk);
        talk.agent("agent_t");
    }

    @AfterEach
    void stop() {
        desk.close();
    }

    private static String token(JsonNode work) {
        return WorkSecret.decode(work.path("secret").stringValue())
                .orElseThrow()
                .sessionsToken()
                .reveal();
    }

    private static String id(JsonNode work) {
        return work.path("id").stringValue();
    }

    private TestDesk.Answer ack(JsonNode work) {
        return desk.post(talk.work("/" + id(work) + "/ack"), desk.environmentKey(), "");
    }

    private TestDesk.Answer beat(JsonNode work, String credential, String expected) {
        return desk.post(
                talk.work("/" + id(work) + "/heartbeat?expected_last_heartbeat=")
                        + URLEncoder.encode(expected, StandardCharsets.UTF_8),
                credential,
                "");
    }

    private TestDesk.Answer stop(JsonNode work, String body) {
        return desk.post(talk.work("/" + id(work) + "/stop"), desk.environmentKey(), body);
    }

    private static String last(TestDesk.Answer beat) {
        return beat.ok().path("last_heartbeat").stringValue();
    }

    private JsonNode claimed() {
        JsonNode work = talk.poll();
        assertThat(work.isObject()).isTrue();
        ack(work).ok();
        return work;
    }

    @Test
    void emptyPollIsJsonNull() {
        var answer = desk.get(talk.work("/poll?block_ms="), desk.environmentKey());
        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.header("content-type")).startsWith("application/json");
        assertThat(answer.response().body()).isEqualTo("null");
    }

    @Test
    void pollChecksItsParametersAndTheEnvironment() {
        String key = desk.environmentKey();
        assertThat(desk.get(talk.work("/poll?block_ms=1001"), key).status()).isEqualTo(400);
        assertThat(desk.get(talk.work("/poll?block_ms=0"), key).status()).isEqualTo(400);
        assertThat(desk.get(talk.work("/poll?block_ms=x"), key).status()).isEqualTo(400);
        assertThat(desk.get("/v1/environments/env_other/work/poll", key).status()).isEqualTo(403);
        assertThat(desk.get("/v1/environments/env_other/work/poll").status()).isEqualTo(404);
    }

    @Test
    void itemGoesFromQueuedOverStartingAndActiveToStopped() {
        String session = talk.session("call bash");
        JsonNode work = talk.poll();
        assertThat(work.path("state").stringValue()).isEqualTo("queued");
        assertThat(work.path("data").path("id").stringValue()).isEqualTo(session);
        assertThat(token(work)).startsWith("sk-ant-req-");
        JsonNode acked = ack(work).ok();
        assertThat(acked.path("state").stringValue()).isEqualTo("starting");
        assertThat(acked.path("secret").isNull()).isTrue();
        JsonNode beat = beat(work, token(work), "NO_HEARTBEAT").ok();
        assertThat(beat.path("state").stringValue()).isEqualTo("active");
        assertThat(beat.path("lease_extended").booleanValue()).isTrue();
        assertThat(beat.path("ttl_seconds").longValue()).isEqualTo(2);
        String first = beat.path("last_heartbeat").stringValue();
        String second = last(beat(work, token(work), first));
        assertThat(second).isGreaterThan(first);
        JsonNode seen = desk.get(talk.work("/" + id(work))).ok();
        assertThat(seen.path("latest_heartbeat_at").stringValue()).isEqualTo(second);
        assertThat(stop(work, "{\"force\":true}").ok().path("state").stringValue())
                .isEqualTo("stopped");
        var again = stop(work, "{\"force\":true}");
        assertThat(again.status()).isEqualTo(409);
        assertThat(again.header("x-should-retry")).isEqualTo("false");
        assertThat(again.errorType()).isEqualTo("conflict_error");
        // the attempt is over, not the session
        assertThat(talk.get(session).path("status").stringValue()).isEqualTo("idle");
    }

    @Test
    void wrongHeartbeatIs412WithTheCurrentState() {
        talk.session("call bash");
        JsonNode work = claimed();
        String stored = last(beat(work, desk.environmentKey(), "NO_HEARTBEAT"));
        var lost = beat(work, desk.environmentKey(), "2026-01-01T00:00:00+00:00");
        assertThat(lost.status()).isEqualTo(412);
        JsonNode details = lost.json().path("error").path("details");
        assertThat(details.path("error_code").stringValue())
                .isEqualTo("heartbeat_precondition_failed");
        assertThat(details.path("current_state").path("last_heartbeat").stringValue())
                .isEqualTo(stored);
        assertThat(details.path("current_state").path("lease_extended").booleanValue()).isFalse();
        assertThat(beat(work, desk.environmentKey(), "NO_HEARTBEAT").status()).isEqualTo(412);
    }

    @Test
    void heartbeatWhoseAnswerWasLostIsAnsweredAgainToTheSameToken() {
        talk.session("call bash");
        JsonNode work = claimed();
        String first = last(beat(work, token(work), "NO_HEARTBEAT"));
        assertThat(last(beat(work, token(work), "NO_HEARTBEAT"))).isEqualTo(first);
        String second = last(beat(work, token(work), first));
        assertThat(last(beat(work, token(work), first))).isEqualTo(second);
        assertThat(beat(work, token(work), "NO_HEARTBEAT").status()).isEqualTo(412);
        assertThat(beat(work, desk.environmentKey(), first).status()).isEqualTo(412);
    }

    @Test
    void unacknowledgedItemIsDeliveredAgainAndAcknowledgedOnce() {
        talk.session("call bash");
        JsonNode first = talk.poll();
        assertThat(talk.poll().isNull()).isTrue();
        JsonNode[] second = new JsonNode[1];
        Talk.until(
                () -> {
                    second[0] =
                            desk.get(
                                            talk.work("/poll?reclaim_older_than_ms=20"),
                                            desk.environmentKey())
                                    .ok();
                    return second[0].isObject();
                },
                () -> "not delivered again");
        assertThat(id(second[0])).isEqualTo(id(first));
        assertThat(token(second[0])).isNotEqualTo(token(first));
        ack(second[0]).ok();
        assertThat(ack(first).status()).isEqualTo(409);
        assertThat(
                        desk.get(talk.work("/poll?reclaim_older_than_ms=1"), desk.environmentKey())
                                .ok()
                                .isNull())
                .isTrue();
    }

    @Test
    void leaseThatRunsOutPutsTheItemBackForAnotherWorker() {
        talk.session("call bash");
        JsonNode slow = claimed();
        String stored = last(beat(slow, token(slow), "NO_HEARTBEAT"));
        JsonNode[] next = new JsonNode[1];
        Talk.until(
                () -> {
                    next[0] = talk.poll();
                    return next[0].isObject();
                },
                () -> "not queued again");
        var late = beat(slow, token(slow), stored);
        assertThat(late.status()).isEqualTo(412);
        assertThat(
                        late.json()
                                .path("error")
                                .path("details")
                                .path("current_state")
                                .path("state")
                                .stringValue())
                .isEqualTo("queued");
        ack(next[0]).ok();
        // the old worker cannot take it back, nor stop it
        assertThat(beat(slow, token(slow), "NO_HEARTBEAT").status()).isEqualTo(412);
        assertThat(
                        desk.post(
                                        talk.work("/" + id(slow) + "/stop"),
                                        token(slow),
                                        "{\"force\":true}")
                                .status())
                .isEqualTo(409);
        assertThat(beat(next[0], token(next[0]), "NO_HEARTBEAT").status()).isEqualTo(200);
    }

    @Test
    void startThatNeverComesPutsTheItemBack() {
        talk.session("call bash");
        JsonNode dead = claimed();
        Talk.until(() -> talk.poll().isObject(), () -> "not queued again");
        assertThat(desk.get(talk.work("/" + id(dead))).ok().path("acknowledged_at").isNull())
                .isTrue();
    }

    @Test
    void gracefulStopIsSeenAtTheNextHeartbeat() {
        talk.session("call bash");
        JsonNode work = claimed();
        String stored = last(beat(work, token(work), "NO_HEARTBEAT"));
        assertThat(stop(work, "{}").ok().path("state").stringValue()).isEqualTo("stopping");
        JsonNode seen = beat(work, token(work), stored).ok();
        assertThat(seen.path("state").stringValue()).isEqualTo("stopping");
        assertThat(seen.path("lease_extended").booleanValue()).isFalse();
        assertThat(stop(work, "{\"force\":true}").status()).isEqualTo(200);
        assertThat(beat(work, token(work), "anything").ok().path("state").stringValue())
                .isEqualTo("stopped");
    }

    @Test
    void queuedItemIsStoppedAtOnce() {
        talk.session("call bash");
        JsonNode work = talk.poll();
        assertThat(stop(work, "{}").ok().path("state").stringValue()).isEqualTo("stopped");
    }

    @Test
    void sessionThatGoesOnAfterItsWorkerLeftGetsNewWork() {
        String session = talk.session("say hello");
        JsonNode work = claimed();
        talk.awaitIdle(session, "end_turn");
        stop(work, "{\"force\":true}").ok();
        talk.send(session, Talk.message("call bash")).ok();
        JsonNode next = talk.poll();
        assertThat(next.path("data").path("id").stringValue()).isEqualTo(session);
        assertThat(id(next)).isNotEqualTo(id(work));
    }

    @Test
    void sessionWhoseWorkerLeftCallsBehindGetsAnother() {
        String session = talk.session("call bash\nsay done");
        JsonNode left = claimed();
        talk.awaitIdle(session, "requires_action");
        stop(left, "{\"force\":true}").ok();
        assertThat(talk.poll().isNull()).isTrue();
        JsonNode[] next = new JsonNode[1];
        Talk.until(
                () -> {
                    next[0] = talk.poll();
                    return next[0].isObject();
                },
                () -> "no other item");
        assertThat(next[0].path("data").path("id").stringValue()).isEqualTo(session);
        assertThat(id(next[0])).isNotEqualTo(id(left));
    }

    @Test
    void callThatIsAllowedAfterItsWorkerLeftBringsAnother() {
        String session = talk.session("call write");
        JsonNode left = claimed();
        talk.awaitIdle(session, "requires_action");
        stop(left, "{\"force\":true}").ok();
        String call = talk.ids(session, "agent.tool_use").getFirst();
        assertThat(talk.poll().isNull()).isTrue();
        talk.send(
                        session,
                        "{\"type\":\"user.tool_confirmation\",\"tool_use_id\":\""
                                + call
                                + "\",\"result\":\"allow\"}")
                .ok();
        assertThat(talk.poll().isObject()).isTrue();
    }

    @Test
    void liveItemIsNotJoinedByAnother() {
        String session = talk.session("say one");
        claimed();
        talk.awaitIdle(session, "end_turn");
        talk.send(session, Talk.message("call bash")).ok();
        talk.awaitIdle(session, "requires_action");
        assertThat(talk.poll().isNull()).isTrue();
    }

    @Test
    void archivingOrDeletingTheSessionStopsItsItem() {
        String archived = talk.session("call bash");
        JsonNode work = claimed();
        String stored = last(beat(work, token(work), "NO_HEARTBEAT"));
        talk.awaitIdle(archived, "requires_action");
        desk.post("/v1/sessions/" + archived + "/archive", "").ok();
        assertThat(beat(work, token(work), stored).ok().path("state").stringValue())
                .isEqualTo("stopped");
        assertThat(talk.get(archived).path("status").stringValue()).isEqualTo("terminated");

        String deleted = talk.session("call bash");
        talk.awaitIdle(deleted, "requires_action");
        desk.delete("/v1/sessions/" + deleted).ok();
        assertThat(talk.poll().isNull()).isTrue();
        assertThat(desk.get("/v1/sessions/" + deleted).status()).isEqualTo(404);
    }

    @Test
    void acceptanceMatrixHolds() {
        String session = talk.session("call bash");
        JsonNode work = claimed();
        String other = talk.session("call bash");
        String token = token(work);
        String key = desk.environmentKey();
        String item = talk.work("/" + id(work));
        assertThat(desk.get(talk.work("/poll"), token).status()).isEqualTo(403);
        assertThat(desk.get(item).status()).isEqualTo(200);
        assertThat(desk.get(item, key).status()).isEqualTo(403);
        assertThat(desk.get(item, token).status()).isEqualTo(403);
        assertThat(desk.post(item, key, "{\"metadata\":{}}").status()).isEqualTo(403);
        assertThat(desk.get(talk.work("")).status()).isEqualTo(403);
        assertThat(desk.get(talk.work(""), key).status()).isEqualTo(200);
        assertThat(desk.get(talk.work("/stats"), key).status()).isEqualTo(200);
        for (String path : Set.of("", "/events")) {
            assertThat(desk.get("/v1/sessions/" + session + path, key).status()).isEqualTo(200);
            assertThat(desk.get("/v1/sessions/" + session + path, token).status()).isEqualTo(200);
            assertThat(desk.get("/v1/sessions/" + other + path, token).status()).isEqualTo(403);
        }
        assertThat(desk.get("/v1/sessions", key).status()).isEqualTo(403);
        assertThat(desk.post("/v1/sessions/" + session, token, "{}").status()).isEqualTo(403);
        assertThat(desk.post(talk.work("/work_other/heartbeat"), token, "").status())
                .isEqualTo(403);
    }

    @Test
    void statsCountWaitingAndDelivered() {
        talk.session("call bash");
        talk.session("call bash");
        desk.send(
                desk.request(talk.work("/poll"), desk.environmentKey())
                        .header("anthropic-worker-id", "w1"));
        JsonNode stats = desk.get(talk.work("/stats")).ok();
        assertThat(stats.path("depth").longValue()).isEqualTo(1);
        assertThat(stats.path("pending").longValue()).isEqualTo(1);
        assertThat(stats.path("workers_polling").longValue()).isEqualTo(1);
        assertThat(stats.path("oldest_queued_at").isString()).isTrue();
    }

    @Test
    void metadataOfAnItemIsMerged() {
        talk.session("call bash");
        String path = talk.work("/" + id(talk.poll()));
        desk.post(path, "{\"metadata\":{\"a\":\"1\",\"b\":\"2\"}}").ok();
        JsonNode metadata =
                desk.post(path, "{\"metadata\":{\"a\":null,\"c\":\"3\"}}").ok().path("metadata");
        assertThat(metadata).isEqualTo(Json.tree("{\"b\":\"2\",\"c\":\"3\"}"));
    }

    @Test
    void waitingPollIsAnsweredWhenWorkComes() throws Exception {
        var waiting =
                desk.http()
                        .sendAsync(
                                desk.request(talk.work("/poll?block_ms=999"), desk.environmentKey())
                                        .build(),
                                java.net.http.HttpResponse.BodyHandlers.ofString());
        String session = talk.session("call bash");
        JsonNode work = Json.tree(waiting.get().body());
        if (work.isNull()) {
            work = talk.poll();
        }
        assertThat(work.path("data").path("id").stringValue()).isEqualTo(session);
    }

    @Test
    void noItemIsGivenToTwoPollers() throws InterruptedException {
        int sessions = 20;
        IntStream.range(0, sessions).parallel().forEach(_ -> talk.session("call bash"));
        Set<String> items = ConcurrentHashMap.newKeySet();
        AtomicInteger given = new AtomicInteger();
        CountDownLatch done = new CountDownLatch(8);
        for (int i = 0; i < 8; i++) {
            Thread.ofVirtual()
                    .start(() -> {
                        JsonNode work = talk.poll();
                        while (work.isObject()) {
                            given.incrementAndGet();
                            items.add(id(work));
                            work = talk.poll();
                        }
                        done.countDown();
                    });
        }
        done.await();
        assertThat(given).hasValue(sessions);
        assertThat(items).hasSize(sessions);
    }
}
