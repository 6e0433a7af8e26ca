package dev.glovebox.brain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.brain.Brain.Next;
import dev.glovebox.protocol.brain.Brain.Retry;
import dev.glovebox.protocol.event.Event;
import dev.glovebox.protocol.session.ModelUsage;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ScriptedBrainTest {
    private static final String SCRIPT =
            """
            {"steps":[{"say":"one\\ntwo"},{"tool":"bash","input":{"command":"ls"}},
             {"parallel":[{"tool":"read","input":{"file_path":"a"}},{"tool":"glob"}]},
             {"say":"done"}]}
            """;

    private final ScriptedBrain brain = new ScriptedBrain();
    private final RecordedOutput output = new RecordedOutput();
    private final List<Event> history = new ArrayList<>();

    @Test
    void script_runsToItsEnd_waitingForEachResult() throws Exception {
        history.add(Sessions.says(SCRIPT));
        assertThat(step()).isInstanceOf(Next.AwaitResults.class);
        assertThat(output.acts).containsExactly("says one\ntwo", "calls bash {\"command\":\"ls\"}");
        assertThat(output.deltas).containsExactly("one\n", "two");
        happened("'agent.message','content':[{'type':'text','text':'one\\ntwo'}]");
        happened("'agent.tool_use','id':'sevt_1','name':'bash','input':{}");
        happened("'user.tool_result','tool_use_id':'sevt_1','content':[]");
        assertThat(step()).isInstanceOf(Next.AwaitResults.class);
        assertThat(output.acts.subList(2, 4))
                .containsExactly("calls read {\"file_path\":\"a\"}", "calls glob {}");
        happened("'agent.tool_use','id':'sevt_2','name':'read','input':{}");
        happened("'agent.tool_use','id':'sevt_3','name':'glob','input':{}");
        happened("'user.tool_result','tool_use_id':'sevt_3','content':[]");
        happened("'user.tool_result','tool_use_id':'sevt_2','content':[],'is_error':true");
        assertThat(step()).isInstanceOf(Next.EndTurn.class);
        assertThat(output.acts.subList(4, 5)).containsExactly("says done");
        happened("'agent.message','content':[{'type':'text','text':'done'}]");
        assertThat(step()).isInstanceOf(Next.EndTurn.class);
        assertThat(output.acts).hasSize(5);
        assertThat(output.usage).containsOnly(ModelUsage.NONE);
    }

    @Test
    void crashInTheMiddleOfAStep_nothingIsSaidOrCalledTwice() throws Exception {
        history.add(Sessions.says(SCRIPT));
        happened("'agent.message','content':[{'type':'text','text':'one\\ntwo'}]");
        assertThat(step()).isInstanceOf(Next.AwaitResults.class);
        assertThat(output.acts).containsExactly("calls bash {\"command\":\"ls\"}");
    }

    @Test
    void deniedCall_countsAsMade() throws Exception {
        history.add(Sessions.says("{\"steps\":[{\"tool\":\"bash\"},{\"say\":\"on\"}]}"));
        happened("'agent.tool_use','id':'sevt_1','name':'bash','input':{}");
        happened("'agent.tool_result','tool_use_id':'sevt_1','content':[],'is_error':true");
        assertThat(step()).isInstanceOf(Next.EndTurn.class);
        assertThat(output.acts).containsExactly("says on");
    }

    @Test
    void customTool_countsAsCalled() throws Exception {
        history.add(Sessions.says("{\"steps\":[{\"tool\":\"get_weather\"},{\"say\":\"on\"}]}"));
        happened("'agent.custom_tool_use','id':'sevt_1','name':'get_weather','input':{}");
        happened("'user.custom_tool_result','custom_tool_use_id':'sevt_1','content':[]");
        assertThat(step()).isInstanceOf(Next.EndTurn.class);
        assertThat(output.acts).containsExactly("says on");
    }

    @Test
    void laterMessage_startsItsOwnScript() throws Exception {
        history.add(Sessions.says(SCRIPT));
        happened("'agent.message','content':[{'type':'text','text':'one\\ntwo'}]");
        history.add(Sessions.says("{\"steps\":[{\"say\":\"new\"}]}"));
        assertThat(step()).isInstanceOf(Next.EndTurn.class);
        assertThat(output.acts).containsExactly("says new");
    }

    @Test
    void interruptAfterTheMessage_endsTheTurn() throws Exception {
        history.add(Sessions.says(SCRIPT));
        happened("'user.interrupt'");
        assertThat(step()).isInstanceOf(Next.EndTurn.class);
        assertThat(output.acts).isEmpty();
    }

    @Test
    void emptyHistory_endsTheTurn() throws Exception {
        assertThat(step()).isInstanceOf(Next.EndTurn.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "hello",
                "",
                "[]",
                "{}",
                "{\"steps\":{}}",
                "{\"steps\":[1]}",
                "{\"steps\":[{}]}",
                "{\"steps\":[{\"say\":1}]}",
                "{\"steps\":[{\"say\":\"\"}]}",
                "{\"steps\":[{\"say\":\"a\",\"tool\":\"bash\"}]}",
                "{\"steps\":[{\"tool\":\"bash\",\"input\":[]}]}",
                "{\"steps\":[{\"tool\":null}]}",
                "{\"steps\":[{\"parallel\":[]}]}",
                "{\"steps\":[{\"pause_ms\":-1}]}",
                "{\"steps\":[{\"pause_ms\":60001}]}",
                "{\"steps\":[{\"pause_ms\":\"1\"}]}",
                "{\"steps\":[{\"fail\":\"x\",\"retry\":\"maybe\"}]}",
                "{\"steps\":[],\"stpes\":[]}"
            })
    void notAScript_explainsItselfOnceAndEndsTheTurn(String text) throws Exception {
        history.add(Sessions.says(text));
        assertThat(step()).isInstanceOf(Next.EndTurn.class);
        assertThat(output.acts).singleElement().asString().contains(Script.EXAMPLE);
        happened("'agent.message','content':[{'type':'text','text':'explained'}]");
        assertThat(step()).isInstanceOf(Next.EndTurn.class);
        assertThat(output.acts).hasSize(1);
    }

    @Test
    void theExampleItShows_isAScript() {
        assertThat(script(Script.EXAMPLE).acts()).hasSize(5);
    }

    @Test
    void badStep_isNamed() throws Exception {
        history.add(Sessions.says("{\"steps\":[{\"say\":\"a\"},{\"sya\":\"b\"}]}"));
        step();
        assertThat(output.acts).singleElement().asString().contains("steps[1]: must have one of");
    }

    @Test
    void tooManyActs_isNoScript() {
        String step = "{\"say\":\"a\"}";
        String steps = (step + ",").repeat(Script.MAX_ACTS) + step;
        assertThatThrownBy(() -> script("{\"steps\":[" + steps + "]}"))
                .hasMessage("steps: at most 10000 acts");
    }

    @ParameterizedTest
    @CsvSource({"retrying,RETRYING", "exhausted,EXHAUSTED", "terminal,TERMINAL"})
    void failStep_failsOnceThenGoesOn(String word, Retry retry) throws Exception {
        history.add(
                Sessions.says(
                        "{\"steps\":[{\"fail\":\"model_overloaded_error\",\"retry\":\""
                                + word
                                + "\"},{\"say\":\"on\"}]}"));
        assertThat(step())
                .isEqualTo(new Next.Failed("model_overloaded_error", "the script says so", retry));
        happened("'session.error','error':{'type':'model_overloaded_error'}");
        assertThat(step()).isInstanceOf(Next.EndTurn.class);
        assertThat(output.acts).containsExactly("says on");
    }

    @Test
    void refuseStep_refuses() throws Exception {
        history.add(Sessions.says("{\"steps\":[{\"refuse\":\"cyber\"}]}"));
        assertThat(step())
                .isEqualTo(
                        new Next.Refusal(Optional.of("cyber"), Optional.of("the script says so")));
    }

    @Test
    void pause_isPassedOnceSomethingAfterItHappened() throws Exception {
        history.add(
                Sessions.says(
                        "{\"steps\":[{\"pause_ms\":60000},{\"say\":\"a\"},{\"say\":\"b\"}]}"));
        happened("'agent.message','content':[{'type':'text','text':'a'}]");
        assertThat(step()).isInstanceOf(Next.EndTurn.class);
        assertThat(output.acts).containsExactly("says b");
    }

    @Test
    void interruptedThread_stopsInAPause() throws Exception {
        history.add(Sessions.says("{\"steps\":[{\"say\":\"a\"},{\"pause_ms\":60000}]}"));
        Thread.currentThread().interrupt();
        assertThatThrownBy(this::step).isInstanceOf(InterruptedException.class);
        assertThat(Thread.interrupted()).isFalse();
    }

    private static Script script(String text) {
        return Script.of((dev.glovebox.protocol.event.UserEvent.Message) Sessions.says(text));
    }

    private Next step() throws InterruptedException {
        return brain.step(Sessions.request(ScriptedBrain.MODEL_ID, history), output);
    }

    private void happened(String rest) {
        history.add(Json.read(("{'type':" + rest + "}").replace('\'', '"'), Event.class));
    }
}
