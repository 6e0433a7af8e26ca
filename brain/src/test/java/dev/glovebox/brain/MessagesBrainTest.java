package dev.glovebox.brain;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.brain.FakeMessages.Answer;
import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.brain.Brain.Next;
import dev.glovebox.protocol.brain.Brain.Retry;
import dev.glovebox.protocol.event.Event;
import dev.glovebox.protocol.session.ModelUsage;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.node.ObjectNode;

@Timeout(180)
class MessagesBrainTest {
    private static final String MODEL = "claude-test";
    private static final Map<String, String> AT_ONCE = Map.of("retry-after-ms", "1");

    private final RecordedOutput output = new RecordedOutput();
    private FakeMessages api;
    private MessagesBrain brain;

    @BeforeEach
    void start() throws Exception {
        api = new FakeMessages();
        brain =
                new MessagesBrain(
                        new MessagesConfig(
                                api.url(), FakeMessages.KEY, Duration.ofSeconds(20), 2, 1000));
    }

    @AfterEach
    void everyRequestWasGood() {
        brain.close();
        api.close();
        assertThat(api.faults()).isEmpty();
    }

    @Test
    void text_isPreviewedThenSaid_andEndsTheTurn() throws Exception {
        assertThat(answer(stream(new ReplyEvents().text("Hel", "lo").stop("end_turn"))))
                .isEqualTo(new Next.EndTurn());
        assertThat(output.deltas).containsExactly("Hel", "lo");
        assertThat(output.acts).containsExactly("says Hello");
        assertThat(output.usage).containsExactly(new ModelUsage(25, 42, 7, 11));
    }

    @Test
    void request_carriesModelSystemToolsAndCacheMarker() throws Exception {
        answer(stream(new ReplyEvents().text("ok").stop("end_turn")));
        ObjectNode request = api.requests().getFirst();
        assertThat(request.path("model").asString("")).isEqualTo(MODEL);
        assertThat(request.path("max_tokens").asInt(0)).isEqualTo(1000);
        assertThat(request.path("system").asString("")).isEqualTo("You work with care.");
        assertThat(request.path("cache_control").path("type").asString("")).isEqualTo("ephemeral");
        assertThat(request.path("tools").findValuesAsString("name"))
                .containsExactly("bash", "read", "write", "edit", "grep", "get_weather");
        assertThat(request.has("output_config")).isFalse();
    }

    @Test
    void modelOptions_otherThanTheDefaults_areSent() throws Exception {
        api.then(stream(new ReplyEvents().text("ok").stop("end_turn")));
        var agent = Sessions.agent(MODEL, "[]");
        agent.model()
                .put("speed", "fast")
                .put("inference_geo", "us")
                .putObject("effort")
                .put("type", "low");
        step(
                new dev.glovebox.protocol.brain.Brain.Request(
                        "sesn_1", agent, List.of(Sessions.says("hi"))));
        ObjectNode request = api.requests().getFirst();
        assertThat(request.path("output_config").path("effort").asString("")).isEqualTo("low");
        assertThat(request.path("speed").asString("")).isEqualTo("fast");
        assertThat(request.path("inference_geo").asString("")).isEqualTo("us");
        assertThat(request.has("tools")).isFalse();
    }

    @Test
    void parallelCalls_areCalledInOrder_andAwaited() throws Exception {
        Next next =
                answer(
                        stream(
                                new ReplyEvents()
                                        .thinking()
                                        .text("I look.")
                                        .call("toolu_1", "bash", "{\"comm", "and\":\"l", "s\"}")
                                        .call(
                                                "toolu_2",
                                                "read",
                                                "{\"view_range\":[1,-1]," + "\"file_path\":\"a\"}")
                                        .text("After.")
                                        .call("toolu_3", "glob")
                                        .stop("tool_use")));
        assertThat(next).isEqualTo(new Next.AwaitResults());
        assertThat(output.acts)
                .containsExactly(
                        "thinks",
                        "says I look.",
                        "calls bash {\"command\":\"ls\"}",
                        "calls read {\"view_range\":[1,-1],\"file_path\":\"a\"}",
                        "says After.",
                        "calls glob {}");
        assertThat(output.deltas).containsExactly("I look.");
    }

    @Test
    void wholeConversation_isSentWithEventIdsAndAnswers() throws Exception {
        api.then(stream(new ReplyEvents().text("done").stop("end_turn")));
        step(
                Sessions.history(
                        "{'type':'user.message','content':[{'type':'text','text':'go'}]}",
                        "{'type':'agent.tool_use','id':'sevt_1','name':'bash',"
                                + "'input':{'n':12345678901234567890,'d':0.1}}",
                        "{'type':'agent.custom_tool_use','id':'sevt_2','name':'get_weather',"
                                + "'input':{}}",
                        "{'type':'user.custom_tool_result','custom_tool_use_id':'sevt_2',"
                                + "'content':[{'type':'text','text':'sun'}]}",
                        "{'type':'user.tool_result','tool_use_id':'sevt_1','is_error':true,"
                                + "'content':[{'type':'text','text':'boom'}]}"));
        assertThat(api.requests().getFirst().path("messages"))
                .isEqualTo(
                        Json.tree(
                                """
                                [{'role':'user','content':[{'type':'text','text':'go'}]},
                                 {'role':'assistant','content':[
                                  {'type':'tool_use','id':'sevt_1','name':'bash',
                                   'input':{'n':12345678901234567890,'d':0.1}},
                                  {'type':'tool_use','id':'sevt_2','name':'get_weather',
                                   'input':{}}]},
                                 {'role':'user','content':[
                                  {'type':'tool_result','tool_use_id':'sevt_1','is_error':true,
                                   'content':[{'type':'text','text':'boom'}]},
                                  {'type':'tool_result','tool_use_id':'sevt_2','is_error':false,
                                   'content':[{'type':'text','text':'sun'}]}]}]
                                """
                                        .replace('\'', '"')));
    }

    @Test
    void emptyHistory_asksNobody() throws Exception {
        assertThat(step(List.of())).isEqualTo(new Next.EndTurn());
        assertThat(api.requests()).isEmpty();
    }

    @Test
    void refusal_keepsNothingOfTheReply() throws Exception {
        ObjectNode details = Json.object();
        details.putObject("stop_details")
                .put("type", "refusal")
                .put("category", "cyber")
                .put("explanation", "no");
        assertThat(answer(stream(new ReplyEvents().text("Well").stop("refusal", details))))
                .isEqualTo(new Next.Refusal(Optional.of("cyber"), Optional.of("no")));
        assertThat(output.acts).isEmpty();
        assertThat(output.usage).hasSize(1);
    }

    @Test
    void pausedTurn_goesOn() throws Exception {
        assertThat(answer(stream(new ReplyEvents().text("wait").stop("pause_turn"))))
                .isEqualTo(new Next.Continue());
        assertThat(output.acts).containsExactly("says wait");
    }

    @Test
    void cutOffAtTheTokenLimit_keepsWordsButRunsNoCall() throws Exception {
        Next next =
                answer(
                        stream(
                                new ReplyEvents()
                                        .text("I write")
                                        .call("toolu_1", "write", "{\"file_path\":\"a\"}")
                                        .stop("max_tokens")));
        assertThat(next)
                .isEqualTo(
                        new Next.Failed(
                                "model_request_failed_error",
                                "the model's reply was cut off at 1000 output tokens",
                                Retry.EXHAUSTED));
        assertThat(output.acts).containsExactly("says I write");
    }

    @Test
    void fullContextWindow_exhaustsTheTurn() throws Exception {
        assertThat(
                        answer(
                                stream(
                                        new ReplyEvents()
                                                .text("I")
                                                .stop("model_context_window_exceeded"))))
                .isInstanceOfSatisfying(
                        Next.Failed.class,
                        f -> assertThat(f.errorType()).isEqualTo("compaction_limit_reached_error"));
    }

    @Test
    void unknownStopReason_goesByWhatIsThere() throws Exception {
        assertThat(answer(stream(new ReplyEvents().call("toolu_1", "bash").stop("new_reason"))))
                .isEqualTo(new Next.AwaitResults());
    }

    @ParameterizedTest
    @ValueSource(ints = {408, 409, 429, 500, 503, 529})
    void passingError_isRetriedByTheClient(int status) throws Exception {
        api.then(new FakeMessages.Refused(status, "api_error", "later", AT_ONCE));
        assertThat(answer(stream(new ReplyEvents().text("ok").stop("end_turn"))))
                .isEqualTo(new Next.EndTurn());
        assertThat(api.requests()).hasSize(2);
        assertThat(output.acts).containsExactly("says ok");
    }

    @Test
    void connectionDroppedBeforeAReply_isRetriedByTheClient() throws Exception {
        api.then(new FakeMessages.Dropped());
        assertThat(answer(stream(new ReplyEvents().text("ok").stop("end_turn"))))
                .isEqualTo(new Next.EndTurn());
        assertThat(output.acts).containsExactly("says ok");
    }

    @ParameterizedTest
    @CsvSource({
        "529, overloaded_error, model_overloaded_error, RETRYING",
        "429, rate_limit_error, model_rate_limited_error, RETRYING",
        "500, api_error, model_request_failed_error, RETRYING",
        "504, timeout_error, model_request_failed_error, RETRYING",
        "402, billing_error, billing_error, EXHAUSTED",
        "400, invalid_request_error, model_request_failed_error, EXHAUSTED",
        "401, authentication_error, model_request_failed_error, EXHAUSTED",
        "403, permission_error, model_request_failed_error, EXHAUSTED",
        "404, not_found_error, model_request_failed_error, EXHAUSTED",
        "413, request_too_large, model_request_failed_error, EXHAUSTED"
    })
    void errorAnswer_becomesTheSessionsError(int status, String kind, String type, Retry retry)
            throws Exception {
        for (int i = 0; i < 3; i++) {
            api.then(new FakeMessages.Refused(status, kind, "some words", AT_ONCE));
        }
        assertThat(step(List.of(Sessions.says("hi"))))
                .isInstanceOfSatisfying(
                        Next.Failed.class,
                        f -> {
                            assertThat(f.errorType()).isEqualTo(type);
                            assertThat(f.retry()).isEqualTo(retry);
                            assertThat(f.message())
                                    .contains(
                                            String.valueOf(status), kind, "some words", "req_fake");
                        });
        assertThat(output.acts).isEmpty();
    }

    @Test
    void emptyPurse_isABillingError() throws Exception {
        assertThat(
                        answer(
                                new FakeMessages.Refused(
                                        400,
                                        "invalid_request_error",
                                        "Your credit balance is too low",
                                        Map.of())))
                .isInstanceOfSatisfying(
                        Next.Failed.class,
                        f -> assertThat(f.errorType()).isEqualTo("billing_error"));
    }

    @Test
    void streamCutInTheMiddle_hasNoEffectAndIsWorthAnotherTry() throws Exception {
        assertRetrying(
                answer(
                        new FakeMessages.Cut(
                                new ReplyEvents()
                                        .text("I look.")
                                        .call("toolu_1", "bash", "{\"command\":\"ls\"}")
                                        .unfinished())));
        assertThat(output.deltas).containsExactly("I look.");
        assertThat(output.acts).isEmpty();
    }

    @Test
    void streamThatEndsWithoutAnEnd_isWorthAnotherTry() throws Exception {
        assertRetrying(answer(stream(new ReplyEvents().text("I").unfinished())));
        assertThat(output.acts).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "event: message_start\ndata: {broken\n\n",
                "event: message_start\ndata: []\n\n",
                "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":3,"
                        + "\"delta\":{\"type\":\"text_delta\",\"text\":\"x\"}}\n\n",
                "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
                "<html>gateway</html>"
            })
    void malformedStream_isWorthAnotherTry(String body) throws Exception {
        assertRetrying(answer(new FakeMessages.Raw(body)));
        assertThat(output.acts).isEmpty();
    }

    @Test
    void callWithMalformedInput_isNotCalled() throws Exception {
        assertRetrying(
                answer(
                        stream(
                                new ReplyEvents()
                                        .text("I look.")
                                        .call("toolu_0", "bash", "{}")
                                        .call("toolu_1", "bash", "{\"command\":")
                                        .stop("tool_use"))));
        assertThat(output.acts).isEmpty();
    }

    @Test
    void callWhoseInputIsNoObject_isNotCalled() throws Exception {
        assertRetrying(
                answer(stream(new ReplyEvents().call("toolu_1", "bash", "[1]").stop("tool_use"))));
        assertThat(output.acts).isEmpty();
    }

    @Test
    void errorEventInTheStream_isTheSessionsError() throws Exception {
        String error =
                "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\","
                        + "\"message\":\"Overloaded\"}}\n\n";
        assertThat(answer(new FakeMessages.Raw(error)))
                .isInstanceOfSatisfying(
                        Next.Failed.class,
                        f -> {
                            assertThat(f.errorType()).isEqualTo("model_overloaded_error");
                            assertThat(f.retry()).isEqualTo(Retry.RETRYING);
                        });
    }

    @Test
    void nobodyListening_isWorthAnotherTry() throws Exception {
        api.close();
        assertRetrying(step(List.of(Sessions.says("hi"))));
    }

    @Test
    void interruptInTheMiddleOfAReply_closesTheConnectionAtOnce() throws Exception {
        api.then(new FakeMessages.Hang(new ReplyEvents().text("I").unfinished()));
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        CountDownLatch ended = new CountDownLatch(1);
        Thread thread =
                Thread.ofVirtual()
                        .start(() -> {
                            try {
                                step(List.of(Sessions.says("hi")));
                            } catch (InterruptedException | RuntimeException e) {
                                thrown.set(e);
                            }
                            ended.countDown();
                        });
        assertThat(api.awaitStreaming()).isTrue();
        long before = System.nanoTime();
        thread.interrupt();
        assertThat(ended.await(10, TimeUnit.SECONDS)).isTrue();
        assertThat(api.awaitGone()).isTrue();
        assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(5));
        assertThat(thrown.get()).isInstanceOf(InterruptedException.class);
        assertThat(output.acts).isEmpty();
    }

    @Test
    void interruptWhileWaitingToRetry_isPrompt() throws Exception {
        for (int i = 0; i < 3; i++) {
            api.then(
                    new FakeMessages.Refused(
                            529, "overloaded_error", "later", Map.of("retry-after", "30")));
        }
        CountDownLatch ended = new CountDownLatch(1);
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        Thread thread =
                Thread.ofVirtual()
                        .start(() -> {
                            try {
                                step(List.of(Sessions.says("hi")));
                            } catch (InterruptedException | RuntimeException e) {
                                thrown.set(e);
                            }
                            ended.countDown();
                        });
        while (api.requests().isEmpty()) {
            Thread.onSpinWait();
        }
        thread.interrupt();
        assertThat(ended.await(10, TimeUnit.SECONDS)).isTrue();
        assertThat(thrown.get()).isInstanceOf(InterruptedException.class);
    }

    private static Answer stream(List<ObjectNode> events) {
        return new FakeMessages.Stream(events);
    }

    private static void assertRetrying(Next next) {
        assertThat(next)
                .isInstanceOfSatisfying(
                        Next.Failed.class,
                        f -> {
                            assertThat(f.errorType()).isEqualTo("model_request_failed_error");
                            assertThat(f.retry()).isEqualTo(Retry.RETRYING);
                            assertThat(f.message()).doesNotContain("com.", "java.");
                        });
    }

    private Next answer(Answer answer) throws InterruptedException {
        api.then(answer);
        return step(List.of(Sessions.says("hi")));
    }

    private Next step(List<Event> history) throws InterruptedException {
        return step(Sessions.request(MODEL, history));
    }

    private Next step(dev.glovebox.protocol.brain.Brain.Request request)
            throws InterruptedException {
        return brain.step(request, output);
    }
}
