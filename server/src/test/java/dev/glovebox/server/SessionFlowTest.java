package dev.glovebox.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// A session from message to idle, as its log shows it.
class SessionFlowTest {
    private final LineBrain brain = new LineBrain();
    private TestDesk desk;
    private Talk talk;

    @BeforeEach
    void start() {
        desk = new TestDesk(brain);
        talk = new Talk(desk);
        talk.agent("agent_t");
    }

    @AfterEach
    void stop() {
        desk.close();
    }

    @Test
    void newSessionIsIdleAndHasNoWork() {
        String id = talk.session();
        assertThat(talk.get(id).path("status").stringValue()).isEqualTo("idle");
        assertThat(talk.events(id)).isEmpty();
        assertThat(talk.poll().isNull()).isTrue();
    }

    @Test
    void turnWithoutCallsRunsToTheEndWithIdleLast() {
        String id = talk.session();
        JsonNode stored = talk.send(id, Talk.message("say hello")).ok().path("data").get(0);
        assertThat(stored.path("id").stringValue()).startsWith("sevt_");
        talk.awaitIdle(id, "end_turn");
        assertThat(talk.types(id))
                .containsExactly(
                        "user.message",
                        "session.status_running",
                        "span.model_request_start",
                        "agent.message",
                        "span.model_request_end",
                        "span.model_request_start",
                        "span.model_request_end",
                        "session.usage",
                        "session.status_idle");
        assertThat(talk.get(id).path("usage").path("input_tokens").longValue()).isEqualTo(20);
        assertThat(talk.events(id)).allMatch(e -> e.path("processed_at").isString());
    }

    @Test
    void initialEventsStartTheSessionAtOnce() {
        String id =
                desk.post(
                                "/v1/sessions",
                                talk.creation(
                                        ",\"initial_events\":["
                                                + Talk.message("say one")
                                                + "],\"title\":\"t\",\"metadata\":{\"k\":\"v\"}"))
                        .ok()
                        .path("id")
                        .stringValue();
        talk.awaitIdle(id, "end_turn");
        JsonNode session = talk.get(id);
        assertThat(session.path("title").stringValue()).isEqualTo("t");
        assertThat(session.path("metadata").path("k").stringValue()).isEqualTo("v");
        assertThat(session.path("agent").path("version").intValue()).isEqualTo(1);
        assertThat(session.path("agent").has("metadata")).isFalse();
    }

    @Test
    void sandboxCallPausesTheTurnUntilItsResult() {
        String id = talk.session("call bash\nsay done");
        JsonNode idle = talk.awaitIdle(id, "requires_action");
        String call = talk.ids(id, "agent.tool_use").getFirst();
        assertThat(idle.path("stop_reason").path("event_ids").get(0).stringValue()).isEqualTo(call);
        assertThat(talk.get(id).path("status").stringValue()).isEqualTo("idle");

        JsonNode result = talk.send(id, Talk.result(call, "ok")).ok().path("data").get(0);
        assertThat(result.path("is_error").booleanValue()).isFalse();
        assertThat(result.path("processed_at").isString()).isTrue();
        talk.awaitIdle(id, "end_turn");
        assertThat(talk.types(id))
                .containsSubsequence(
                        "session.status_idle",
                        "user.tool_result",
                        "session.status_running",
                        "agent.message",
                        "session.usage",
                        "session.status_idle");
    }

    @Test
    void repeatedResultIsAnsweredWithTheFirst() {
        String id = talk.session("call bash");
        talk.awaitIdle(id, "requires_action");
        String call = talk.ids(id, "agent.tool_use").getFirst();
        JsonNode first = talk.send(id, Talk.result(call, "one")).ok();
        talk.awaitIdle(id, "end_turn");
        JsonNode second = talk.send(id, Talk.result(call, "two")).ok();
        assertThat(second).isEqualTo(first);
        assertThat(talk.ids(id, "user.tool_result")).hasSize(1);
    }

    @Test
    void parallelCallsAreResolvedOneByOne() {
        String id = talk.session("call bash read ask_owner\nsay done");
        talk.awaitIdle(id, "requires_action");
        List<String> calls = talk.ids(id, "agent.tool_use");
        String custom = talk.ids(id, "agent.custom_tool_use").getFirst();
        talk.send(id, Talk.result(calls.get(1), "b")).ok();
        JsonNode idle = talk.awaitIdle(id, "requires_action");
        assertThat(idle.path("stop_reason").path("event_ids").valueStream())
                .extracting(JsonNode::stringValue)
                .containsExactly(calls.get(0), custom);
        talk.send(
                        id,
                        Talk.result(calls.get(0), "a"),
                        "{\"type\":\"user.custom_tool_result\",\"custom_tool_use_id\":\""
                                + custom
                                + "\"}")
                .ok();
        talk.awaitIdle(id, "end_turn");
        assertThat(talk.types(id)).contains("agent.message");
    }

    @Test
    void batchIsTakenWholeOrNotAtAll() {
        String id = talk.session("call bash");
        talk.awaitIdle(id, "requires_action");
        String call = talk.ids(id, "agent.tool_use").getFirst();
        int before = talk.events(id).size();
        var answer = talk.send(id, Talk.result(call, "ok"), Talk.result("sevt_none", "no"));
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.message()).startsWith("events[1].tool_use_id:");
        assertThat(talk.events(id)).hasSize(before);
        assertThat(talk.get(id).path("status").stringValue()).isEqualTo("idle");
    }

    @Test
    void callThatAsksNeedsConfirmationAndThenAResult() {
        String id = talk.session("call write\nsay done");
        talk.awaitIdle(id, "requires_action");
        String call = talk.ids(id, "agent.tool_use").getFirst();
        assertThat(talk.events(id))
                .anyMatch(e -> e.path("evaluated_permission").asString("").equals("ask"));
        assertThat(talk.send(id, Talk.result(call, "early")).message())
                .contains("waits for confirmation");
        talk.send(id, confirmation(call, "allow")).ok();
        talk.send(id, confirmation(call, "allow")).ok();
        assertThat(talk.send(id, confirmation(call, "deny")).status()).isEqualTo(400);
        assertThat(talk.get(id).path("status").stringValue()).isEqualTo("idle");
        assertThat(talk.ids(id, "user.tool_confirmation")).hasSize(1);
        talk.send(id, Talk.result(call, "written")).ok();
        talk.awaitIdle(id, "end_turn");
    }

    @Test
    void deniedCallIsClosedByTheServerAndItsLateResultRefused() {
        String id = talk.session("call write\nsay done");
        talk.awaitIdle(id, "requires_action");
        String call = talk.ids(id, "agent.tool_use").getFirst();
        talk.send(
                        id,
                        "{\"type\":\"user.tool_confirmation\",\"tool_use_id\":\""
                                + call
                                + "\",\"result\":\"deny\",\"deny_message\":\"not today\"}")
                .ok();
        talk.awaitIdle(id, "end_turn");
        assertThat(talk.events(id))
                .anyMatch(e ->
                        e.path("type").asString("").equals("agent.tool_result")
                                && e.toString().contains("not today"));
        assertThat(talk.send(id, Talk.result(call, "late")).status()).isEqualTo(400);
    }

    private static String confirmation(String call, String result) {
        return "{\"type\":\"user.tool_confirmation\",\"tool_use_id\":\""
                + call
                + "\",\"result\":\""
                + result
                + "\"}";
    }

    @Test
    void disabledUnknownAndWebToolsAreRefusedOnTheSpot() {
        String id = talk.session("call edit\ncall nothing\ncall web_search\nsay done");
        talk.awaitIdle(id, "end_turn");
        assertThat(talk.ids(id, "agent.tool_result")).hasSize(3);
        assertThat(talk.types(id)).doesNotContain("user.tool_result");
        assertThat(talk.events(id))
                .filteredOn(e -> e.path("type").asString("").equals("agent.tool_use"))
                .allMatch(e -> e.path("evaluated_permission").asString("").equals("deny"));
    }

    @Test
    void interruptClosesOpenCallsInTheLogAndEndsTheTurn() {
        String id = talk.session("call bash ask_owner\nsay done");
        talk.awaitIdle(id, "requires_action");
        String call = talk.ids(id, "agent.tool_use").getFirst();
        talk.send(id, "{\"type\":\"user.interrupt\"}").ok();
        talk.awaitIdle(id, "end_turn");
        assertThat(talk.ids(id, "user.tool_result")).hasSize(1);
        assertThat(talk.ids(id, "user.custom_tool_result")).hasSize(1);
        assertThat(talk.send(id, Talk.result(call, "late")).ok().toString()).contains("interrupt");
        assertThat(talk.ids(id, "user.tool_result")).hasSize(1);
        assertThat(talk.types(id)).doesNotContain("agent.message");
    }

    @Test
    void interruptStopsARunningBrainAndTheQueuedMessageComesNext() throws InterruptedException {
        String id = talk.session("hang\nsay never");
        brain.hanging.await();
        JsonNode queued = talk.send(id, Talk.message("say next")).ok().path("data").get(0);
        assertThat(queued.path("processed_at").isNull()).isTrue();
        talk.send(id, "{\"type\":\"user.interrupt\"}").ok();
        talk.awaitLast(id, e -> talk.types(id).contains("agent.message"));
        talk.awaitIdle(id, "end_turn");
        assertThat(talk.types(id))
                .containsSubsequence(
                        "user.interrupt",
                        "span.model_request_end",
                        "session.status_idle",
                        "user.message",
                        "session.status_running",
                        "agent.message");
        assertThat(talk.events(id).toString()).contains("next").contains("say never");
        JsonNode again =
                talk.events(id).stream()
                        .filter(e -> e.path("id").equals(queued.path("id")))
                        .findFirst()
                        .orElseThrow();
        assertThat(again.path("processed_at").isString()).isTrue();
    }

    @Test
    void messageDuringRequiresActionWaits() {
        String id = talk.session("call bash\nsay first");
        talk.awaitIdle(id, "requires_action");
        String call = talk.ids(id, "agent.tool_use").getFirst();
        JsonNode queued = talk.send(id, Talk.message("say second")).ok().path("data").get(0);
        assertThat(queued.path("processed_at").isNull()).isTrue();
        talk.send(id, Talk.result(call, "ok")).ok();
        talk.awaitIdle(id, "end_turn");
        assertThat(
                        talk.events(id).stream()
                                .filter(e -> e.path("type").asString("").equals("agent.message"))
                                .map(e -> e.path("content").get(0).path("text").stringValue()))
                .containsExactly("first", "second");
    }

    @Test
    void refusalsAndFailuresEndTheTurnAsTheyShould() {
        String refused = talk.session("refuse");
        JsonNode idle = talk.awaitIdle(refused, "refusal");
        assertThat(idle.path("stop_details").path("category").stringValue()).isEqualTo("cyber");

        String exhausted = talk.session("give-up");
        talk.awaitIdle(exhausted, "retries_exhausted");
        assertThat(talk.types(exhausted)).contains("session.error");

        String crashed = talk.session("crash");
        talk.awaitIdle(crashed, "retries_exhausted");

        String dead = talk.session("die");
        talk.awaitLast(dead, e -> e.path("type").asString("").equals("session.status_terminated"));
        assertThat(talk.get(dead).path("status").stringValue()).isEqualTo("terminated");
        assertThat(talk.send(dead, Talk.message("say x")).status()).isEqualTo(400);
    }
}
