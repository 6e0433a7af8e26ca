package dev.glovebox.spec.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.glovebox.spec.lab.Desk;
import dev.glovebox.spec.lab.Script;
import dev.glovebox.spec.lab.SdkError;
import dev.glovebox.spec.lab.Talk;
import dev.glovebox.spec.lab.TypeScriptSdk;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Items 1 to 5 of the conformance checklist: the work queue as the official TypeScript SDK sees
/// it.
class WorkQueueIT {
    private static final Duration LEASE = Duration.ofSeconds(2);
    private static final Duration SOON = Duration.ofSeconds(15);

    private Desk desk;
    private TypeScriptSdk sdk;
    private TypeScriptSdk.Client worker;

    @BeforeEach
    void open() {
        desk = Desk.open(LEASE);
        sdk = TypeScriptSdk.against(desk.baseUrl());
        worker = sdk.as(desk.environmentKey());
    }

    @AfterEach
    void close() {
        sdk.close();
        desk.close();
    }

    @Test
    void poll_emptyQueueAnswersNullAfterBlocking() {
        long started = System.nanoTime();
        assertThat(poll(Map.of("block_ms", 600)).isNull()).isTrue();
        assertThat(Duration.ofNanos(System.nanoTime() - started))
                .isBetween(Duration.ofMillis(550), Duration.ofSeconds(3));
        assertThat(thrown(() -> poll(Map.of("block_ms", 1001))).status()).isEqualTo(400);
    }

    @Test
    void poll_deliversTheItemWithAllItsFieldsAndASecret() {
        Talk talk = waitingTalk();
        JsonNode work = poll(Map.of());
        assertThat(work.get("type").asString()).isEqualTo("work");
        assertThat(work.get("id").asString()).startsWith("work_");
        assertThat(work.get("environment_id").asString()).isEqualTo(desk.environmentId());
        assertThat(work.get("state").asString()).isEqualTo("queued");
        assertThat(work.at("/data/type").asString()).isEqualTo("session");
        assertThat(work.at("/data/id").asString()).isEqualTo(talk.id());
        assertThat(work.get("metadata").isObject()).isTrue();
        assertThat(work.get("created_at").asString()).isNotEmpty();
        for (String none :
                new String[] {
                    "acknowledged_at",
                    "started_at",
                    "latest_heartbeat_at",
                    "stop_requested_at",
                    "stopped_at"
                }) {
            assertThat(work.get(none).isNull()).as(none).isTrue();
        }
        assertThat(token(work)).startsWith("sk-ant-req-");
    }

    @Test
    void poll_blockedPollReturnsAsSoonAsWorkArrives() {
        Talk talk = desk.talk();
        long started = System.nanoTime();
        Thread.ofVirtual().start(() -> talk.say(new Script().bash("true")));
        JsonNode work = poll(Map.of("block_ms", 999));
        assertThat(work.isNull()).as("item in the same poll").isFalse();
        assertThat(Duration.ofNanos(System.nanoTime() - started))
                .isLessThan(Duration.ofMillis(900));
    }

    @Test
    void delivery_unackedIsRepeatedAfterReclaimAndAckedIsNot() {
        waitingTalk();
        String id = poll(Map.of()).get("id").asString();
        assertThat(poll(Map.of("reclaim_older_than_ms", 60_000)).isNull()).isTrue();
        JsonNode again =
                Awaitility.await()
                        .atMost(SOON)
                        .until(
                                () -> poll(Map.of("reclaim_older_than_ms", 1)),
                                item -> !item.isNull());
        assertThat(again.get("id").asString()).isEqualTo(id);
        assertThat(token(again)).startsWith("sk-ant-req-");
        assertThat(ack(id).get("state").asString()).isEqualTo("starting");
        assertThat(ack(id, "state after a repeated ack").isEmpty()).isFalse();
        assertThat(poll(Map.of("reclaim_older_than_ms", 1)).isNull()).isTrue();
    }

    @Test
    void heartbeat_claimsEchoesAndRefusesAMismatch() {
        String id = claimed();
        JsonNode first = beat(id, "NO_HEARTBEAT");
        assertThat(first.get("type").asString()).isEqualTo("work_heartbeat");
        assertThat(first.get("state").asString()).isEqualTo("active");
        assertThat(first.get("lease_extended").asBoolean()).isTrue();
        assertThat(first.get("ttl_seconds").asInt()).isEqualTo((int) LEASE.toSeconds());
        String last = first.get("last_heartbeat").asString();
        JsonNode second = beat(id, last);
        assertThat(second.get("last_heartbeat").asString()).isNotEqualTo(last);

        SdkError lost = thrown(() -> beat(id, "2020-01-01T00:00:00Z"));
        assertThat(lost.name()).isEqualTo("BetaHeartbeatPreconditionFailedError");
        assertThat(lost.status()).isEqualTo(412);
        assertThat(lost.details().at("/current_state/last_heartbeat").asString())
                .isEqualTo(second.get("last_heartbeat").asString());
        assertThat(lost.details().at("/current_state/lease_extended").asBoolean(true)).isFalse();
    }

    @Test
    void heartbeat_ofAStoppingItemIsNotCompared() {
        String id = claimed();
        beat(id, "NO_HEARTBEAT");
        assertThat(stop(id, Map.of()).get("state").asString()).isEqualTo("stopping");
        assertThat(beat(id, "2020-01-01T00:00:00Z").get("state").asString()).isEqualTo("stopping");
        stop(id, Map.of("force", true));
        assertThat(beat(id, "2020-01-01T00:00:00Z").get("state").asString()).isEqualTo("stopped");
    }

    @Test
    void lease_expiryGivesTheItemToASecondWorkerAndTheFirstOneLearnsIt() {
        String id = claimed();
        String last = beat(id, "NO_HEARTBEAT").get("last_heartbeat").asString();
        JsonNode again =
                Awaitility.await().atMost(SOON).until(() -> poll(Map.of()), item -> !item.isNull());
        assertThat(again.get("id").asString()).isEqualTo(id);
        assertThat(thrown(() -> beat(id, last)).status()).isEqualTo(412);
        ack(id);
        assertThat(beat(id, "NO_HEARTBEAT").get("state").asString()).isEqualTo("active");
        assertThat(thrown(() -> beat(id, last)).code()).isEqualTo("heartbeat_precondition_failed");
    }

    @Test
    void lease_ackedItemWithoutAnyHeartbeatComesBack() {
        String id = claimed();
        JsonNode again =
                Awaitility.await().atMost(SOON).until(() -> poll(Map.of()), item -> !item.isNull());
        assertThat(again.get("id").asString()).isEqualTo(id);
    }

    @Test
    void stop_twiceIsAConflictThatIsNotRetried() {
        String id = claimed();
        beat(id, "NO_HEARTBEAT");
        assertThat(stop(id, Map.of("force", true)).get("state").asString()).isEqualTo("stopped");
        SdkError twice = thrown(() -> stop(id, Map.of("force", true)));
        assertThat(twice.name()).isEqualTo("ConflictError");
        assertThat(twice.shouldRetry()).isEqualTo("false");
        assertThat(twice.millis()).isLessThan(1000);
    }

    @Test
    void stats_countWhatWaitsAndWhoPolls() {
        waitingTalk();
        assertThat(stats().get("depth").asInt()).isEqualTo(1);
        poll(Map.of());
        assertThat(stats().get("depth").asInt()).isZero();
        assertThat(stats().get("pending").asInt()).isEqualTo(1);
        assertThat(stats().get("type").asString()).isEqualTo("work_queue_stats");
    }

    private Talk waitingTalk() {
        return desk.talk().say(new Script().bash("true")).awaitAction(SOON);
    }

    private String claimed() {
        waitingTalk();
        String id = poll(Map.of()).get("id").asString();
        ack(id);
        return id;
    }

    private JsonNode poll(Map<String, ?> params) {
        return worker.call("beta.environments.work.poll", desk.environmentId(), params);
    }

    private JsonNode ack(String id) {
        return worker.call(
                "beta.environments.work.ack", id, Map.of("environment_id", desk.environmentId()));
    }

    /// A second ack may be refused or repeat the state; it never hands the item out again.
    private String ack(String id, String what) {
        try {
            return ack(id).get("state").asString(what);
        } catch (SdkError conflict) {
            assertThat(conflict.status()).isEqualTo(409);
            return "conflict";
        }
    }

    private JsonNode beat(String id, String expected) {
        return worker.call(
                "beta.environments.work.heartbeat",
                id,
                Map.of(
                        "environment_id",
                        desk.environmentId(),
                        "expected_last_heartbeat",
                        expected));
    }

    private JsonNode stop(String id, Map<String, ?> body) {
        var params = new java.util.HashMap<String, Object>(body);
        params.put("environment_id", desk.environmentId());
        return worker.call("beta.environments.work.stop", id, params);
    }

    private JsonNode stats() {
        return worker.call("beta.environments.work.stats", desk.environmentId());
    }

    private static String token(JsonNode work) {
        byte[] payload = Base64.getUrlDecoder().decode(work.get("secret").asString());
        return JsonMapper.shared()
                .readTree(new String(payload, StandardCharsets.UTF_8))
                .get("sessions_token")
                .asString();
    }

    private static SdkError thrown(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
        SdkError error = catchThrowableOfType(SdkError.class, call);
        assertThat(error).as("the SDK throws").isNotNull();
        return error;
    }
}
