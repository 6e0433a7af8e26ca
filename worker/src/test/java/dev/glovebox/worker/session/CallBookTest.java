package dev.glovebox.worker.session;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.event.Event;
import dev.glovebox.worker.shell.Cancellation;
import dev.glovebox.worker.tool.ToolResult;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class CallBookTest {
    private static final String ASK = ",'evaluated_permission':'ask'";
    private static final String THREAD = ",'session_thread_id':'t1'";

    private final CallBook book = new CallBook("bash"::equals);

    @Test
    void runsCallsInTheirOrderOneAtATime() {
        book.note(call("a", ""));
        book.note(call("b", ""));

        assertThat(next()).isEqualTo("run a");
        assertThat(book.take()).isEmpty();
        book.done();
        assertThat(next()).isEqualTo("run b");
        book.done();
        assertThat(next()).isEqualTo("-");
        assertThat(book.busy()).isFalse();
    }

    @Test
    void takesACallOnce() {
        book.note(call("a", ""));
        assertThat(next()).isEqualTo("run a");
        book.note(call("a", ""));
        book.done();
        book.note(call("a", ""));
        book.reconcile(history(call("a", "")));

        assertThat(next()).isEqualTo("-");
    }

    @Test
    void holdsWhatAsksAndForgetsWhatIsDenied() {
        book.note(call("a", ASK));
        book.note(call("b", ASK));
        assertThat(book.busy()).isTrue();
        assertThat(next()).isEqualTo("-");

        book.note(confirm("a", "deny"));
        book.note(confirm("b", "allow"));

        assertThat(next()).isEqualTo("run b");
        book.done();
        book.note(confirm("a", "allow"));
        assertThat(next()).isEqualTo("-");
        assertThat(book.busy()).isFalse();
    }

    @Test
    void knowsAConfirmationThatComesFirst() {
        book.note(confirm("a", "allow"));
        book.note(confirm("b", "deny"));
        book.note(call("a", ASK));
        book.note(call("b", ASK));

        assertThat(next()).isEqualTo("run a");
        book.done();
        assertThat(next()).isEqualTo("-");
    }

    @Test
    void aPlatformsDenialGoesBeforeAPersonsConsent() {
        book.note(confirm("a", "allow"));
        book.note(call("a", ",'evaluated_permission':'deny'"));

        assertThat(next()).isEqualTo("-");
    }

    @Test
    void anAnswerOfAnybodySettlesACall() {
        book.note(call("a", ""));
        book.note(call("b", ""));
        assertThat(next()).isEqualTo("run a");

        assertThat(book.note(answer("user", "b"))).isEmpty();
        assertThat(book.note(answer("agent", "a"))).isPresent();
        assertThat(book.settled("a")).isTrue();
        book.done();
        assertThat(next()).isEqualTo("-");
    }

    @Test
    void anInterruptCancelsAnswersAndLetsGo() {
        book.note(call("running", ""));
        book.note(call("ready", ""));
        book.note(call("held", ASK));
        assertThat(next()).isEqualTo("run running");

        Optional<Cancellation> cancel = book.note(event("{'type':'user.interrupt'}"));

        assertThat(cancel).isPresent();
        assertThat(book.settled("running")).isFalse();
        book.done();
        assertThat(next()).isEqualTo("post ready bash: interrupted");
        book.done();
        book.note(confirm("held", "allow"));
        assertThat(next()).isEqualTo("-");
    }

    @Test
    void anInterruptOfAnotherThreadChangesNothing() {
        book.note(call("a", ""));
        book.note(call("b", THREAD));
        assertThat(next()).isEqualTo("run a");

        assertThat(book.note(event("{'type':'user.interrupt','session_thread_id':'t1'}")))
                .isEmpty();
        book.done();
        assertThat(next()).isEqualTo("post b bash: interrupted");
    }

    @Test
    void theEndOfAThreadEndsItsCallsWithoutAnAnswer() {
        book.note(call("a", THREAD));
        book.note(call("b", THREAD));
        book.note(call("c", THREAD + ASK));
        assertThat(next()).isEqualTo("run a");

        assertThat(book.note(threadEnd("t1"))).isPresent();
        book.done();
        book.note(call("d", THREAD));

        assertThat(next()).isEqualTo("-");
        assertThat(book.busy()).isFalse();
    }

    @Test
    void postsAgainInsteadOfRunningAgain() {
        book.note(call("a", ""));
        CallBook.Task task = book.take().orElseThrow();
        book.notPosted(new CallBook.Task.Post(task.call(), ToolResult.ok("done")));
        assertThat(next()).isEqualTo("-");

        book.reconcile(history(call("a", "")));

        assertThat(next()).isEqualTo("post a done");
    }

    @Test
    void doesNotPostAgainWhatTheHistoryHas() {
        book.note(call("a", ""));
        CallBook.Task task = book.take().orElseThrow();
        book.notPosted(new CallBook.Task.Post(task.call(), ToolResult.ok("done")));

        book.reconcile(history(call("a", ""), answer("user", "a")));

        assertThat(next()).isEqualTo("-");
    }

    @Test
    void theHistoryBringsOnlyWhatIsOpen() {
        book.reconcile(
                history(
                        call("answered", ""),
                        answer("user", "answered"),
                        call("closed", ""),
                        answer("agent", "closed"),
                        call("interrupted", ""),
                        event("{'type':'user.interrupt'}"),
                        call("dead", THREAD),
                        threadEnd("t1"),
                        call("asked", ASK),
                        call("allowed", ASK),
                        confirm("allowed", "allow"),
                        call("open", "")));

        assertThat(next()).isEqualTo("run allowed");
        book.done();
        assertThat(next()).isEqualTo("run open");
        book.done();
        assertThat(next()).isEqualTo("-");
        assertThat(book.busy()).isTrue();
    }

    @Test
    void theHistoryReleasesWhatWasHeldBefore() {
        book.note(call("a", ASK));
        book.reconcile(history(confirm("a", "allow")));

        assertThat(next()).isEqualTo("run a");
    }

    @Test
    void aCallOfOthersIsOpenUntilItIsAnswered() {
        Event search = event(use("web_search", "w", ""));
        book.reconcile(history(search));
        assertThat(book.foreignCallOpen()).isTrue();
        assertThat(next()).isEqualTo("-");

        book.reconcile(history(search, answer("agent", "w")));
        assertThat(book.foreignCallOpen()).isFalse();
    }

    private String next() {
        return switch (book.take().orElse(null)) {
            case null -> "-";
            case CallBook.Task.Run run -> "run " + run.call().id();
            case CallBook.Task.Post post -> "post " + post.call().id() + " " + post.result().text();
        };
    }

    private static History history(Event... events) {
        History history = new History();
        List.of(events).forEach(history::add);
        return history;
    }

    private static Event call(String id, String members) {
        return event(use("bash", id, members));
    }

    private static String use(String tool, String id, String members) {
        return "{'type':'agent.tool_use','input':{},'name':'"
                + tool
                + "','id':'"
                + id
                + "'"
                + members
                + "}";
    }

    private static Event confirm(String id, String verdict) {
        return event(
                "{'type':'user.tool_confirmation','tool_use_id':'"
                        + id
                        + "','result':'"
                        + verdict
                        + "'}");
    }

    private static Event answer(String who, String id) {
        return event(
                "{'type':'"
                        + who
                        + ".tool_result','is_error':false,'content':[],'tool_use_id':'"
                        + id
                        + "'}");
    }

    private static Event threadEnd(String thread) {
        return event(
                "{'type':'session.thread_status_terminated','session_thread_id':'" + thread + "'}");
    }

    private static Event event(String json) {
        return Json.read(json.replace('\'', '"'), Event.class);
    }
}
