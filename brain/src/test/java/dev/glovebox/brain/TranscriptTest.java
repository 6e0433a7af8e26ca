package dev.glovebox.brain;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.Json;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.node.ArrayNode;

class TranscriptTest {
    private static final String HELLO =
            "{'type':'user.message','id':'sevt_0','content':[{'type':'text','text':'hello'}]}";

    private ArrayNode messages = Json.object().putArray("messages");

    @AfterEach
    void theApiWouldTakeIt() {
        var request = Json.object().put("model", "m").put("max_tokens", 1).put("stream", true);
        request.set("messages", messages);
        assertThat(RequestCheck.faults(Json.write(request))).isEmpty();
    }

    @Test
    void parallelCalls_areOneTurn_withResultsInCallOrder() {
        convert(
                HELLO,
                "{'type':'session.status_running','id':'sevt_9'}",
                says("let me see"),
                call("sevt_1", "bash"),
                call("sevt_2", "read"),
                result("sevt_2", "two"),
                result("sevt_1", "one"));
        assertMessages(
                user(text("hello")),
                assistant(text("let me see"), use("sevt_1", "bash"), use("sevt_2", "read")),
                user(answer("sevt_1", "one"), answer("sevt_2", "two")));
    }

    @Test
    void messageBetweenCallAndResult_isHeardAfterTheResult() {
        convert(HELLO, call("sevt_1", "bash"), HELLO, result("sevt_1", "one"));
        assertMessages(
                user(text("hello")),
                assistant(use("sevt_1", "bash")),
                user(answer("sevt_1", "one"), text("hello")));
    }

    @Test
    void answerOfARefusedCall_beforeTheNextCallOfTheSameReply_staysValid() {
        convert(
                HELLO,
                call("sevt_1", "bash"),
                call("sevt_2", "bash"),
                "{'type':'agent.tool_result','tool_use_id':'sevt_1','is_error':true,"
                        + "'content':[{'type':'text','text':'no'}]}",
                call("sevt_3", "read"),
                result("sevt_2", "two"),
                result("sevt_3", "three"),
                says("done"),
                HELLO);
        assertMessages(
                user(text("hello")),
                assistant(use("sevt_1", "bash"), use("sevt_2", "bash"), use("sevt_3", "read")),
                user(
                        answer("sevt_1", "no").replace("false", "true"),
                        answer("sevt_2", "two"),
                        answer("sevt_3", "three")),
                assistant(text("done")),
                user(text("hello")));
    }

    @Test
    void refusedCallsOfOneReply_stayInOneTurn_whenTheLogShowsItsBegin() {
        String start = "{'type':'span.model_request_start','id':'sevt_s'}";
        convert(
                HELLO,
                start,
                call("sevt_1", "edit"),
                "{'type':'agent.tool_result','tool_use_id':'sevt_1','is_error':false,"
                        + "'content':[{'type':'text','text':'no'}]}",
                call("sevt_2", "read"),
                result("sevt_2", "two"),
                start,
                says("done"),
                HELLO);
        assertMessages(
                user(text("hello")),
                assistant(use("sevt_1", "edit"), use("sevt_2", "read")),
                user(answer("sevt_1", "no"), answer("sevt_2", "two")),
                assistant(text("done")),
                user(text("hello")));
    }

    @Test
    void deniedCallWithoutAnAnswer_saysWhatThePersonSaid() {
        convert(
                HELLO,
                call("sevt_1", "bash"),
                "{'type':'user.tool_confirmation','tool_use_id':'sevt_1','result':'deny',"
                        + "'deny_message':'not here'}");
        assertThat(Json.write(messages))
                .contains("Permission to use this tool was denied. not here")
                .contains("\"is_error\":true");
    }

    @Test
    void allowedCallWithoutAnAnswer_isNotAnswered() {
        convert(
                HELLO,
                call("sevt_1", "bash"),
                "{'type':'user.tool_confirmation','tool_use_id':'sevt_1','result':'allow'}",
                "{'type':'user.interrupt'}",
                HELLO);
        assertThat(Json.write(messages)).contains("The call was not answered.");
    }

    @Test
    void customCall_andRichContent_areCarriedThrough() {
        convert(
                "{'type':'user.message','content':[{'type':'text','text':'  '},"
                        + "{'type':'image','source':{'type':'base64','data':'AA=='}}]}",
                "{'type':'agent.custom_tool_use','id':'sevt_1','name':'get_weather',"
                        + "'input':{'city':'Bonn'}}",
                "{'type':'user.custom_tool_result','custom_tool_use_id':'sevt_1','content':[]}");
        assertMessages(
                user("{'type':'image','source':{'type':'base64','data':'AA=='}}"),
                assistant(
                        "{'type':'tool_use','id':'sevt_1','name':'get_weather',"
                                + "'input':{'city':'Bonn'}}"),
                user("{'type':'tool_result','tool_use_id':'sevt_1','is_error':false}"));
    }

    @Test
    void secondAnswer_andAnswerToNothing_areDropped() {
        convert(
                HELLO,
                call("sevt_1", "bash"),
                result("sevt_1", "one"),
                result("sevt_1", "again"),
                result("sevt_7", "what"));
        assertMessages(
                user(text("hello")),
                assistant(use("sevt_1", "bash")),
                user(answer("sevt_1", "one")));
    }

    @Test
    void blankAndRedactedWords_areLeftOut() {
        convert(
                HELLO,
                "{'type':'agent.message','content':[{'type':'redacted'},"
                        + "{'type':'text','text':' '}]}",
                HELLO);
        assertMessages(user(text("hello"), text("hello")));
    }

    @Test
    void noWordYet_isNoMessage() {
        assertThat(Transcript.messages(List.of())).isEmpty();
        convert(HELLO);
    }

    private void convert(String... events) {
        messages = Transcript.messages(Sessions.history(events));
    }

    private void assertMessages(String... expected) {
        assertThat(messages)
                .isEqualTo(Json.tree(("[" + String.join(",", expected) + "]").replace('\'', '"')));
    }

    private static String says(String text) {
        return "{'type':'agent.message','id':'sevt_m','content':[" + text(text) + "]}";
    }

    private static String call(String id, String name) {
        return "{'type':'agent.tool_use','id':'" + id + "','name':'" + name + "','input':{}}";
    }

    private static String result(String id, String text) {
        return "{'type':'user.tool_result','tool_use_id':'"
                + id
                + "','content':["
                + text(text)
                + "]}";
    }

    private static String user(String... blocks) {
        return "{'role':'user','content':[" + String.join(",", blocks) + "]}";
    }

    private static String assistant(String... blocks) {
        return "{'role':'assistant','content':[" + String.join(",", blocks) + "]}";
    }

    private static String text(String text) {
        return "{'type':'text','text':'" + text + "'}";
    }

    private static String use(String id, String name) {
        return "{'type':'tool_use','id':'" + id + "','name':'" + name + "','input':{}}";
    }

    private static String answer(String id, String text) {
        return "{'type':'tool_result','tool_use_id':'"
                + id
                + "','is_error':false,'content':["
                + text(text)
                + "]}";
    }
}
