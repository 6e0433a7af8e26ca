package dev.glovebox.worker.session;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.event.Event;
import java.time.Duration;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The countdown rules as a table.
class IdleClockTest {
    private final IdleClock clock = new IdleClock(Duration.ofNanos(60));

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "idle end_turn;true",
                "idle retries_exhausted;true",
                "idle of_a_later_version;true",
                "idle;true",
                "idle requires_action;false",
                "running;false",
                "idle end_turn,running;false",
                "idle end_turn,unknown;false",
                "idle end_turn,message;false",
                "idle end_turn,confirmation;true",
                "idle end_turn,thread;true",
                "idle end_turn,idle requires_action;false",
                "idle end_turn,running,idle end_turn;true",
                "confirmation;false",
                "failed,idle end_turn,thread;true",
                "idle end_turn,failed,thread;false",
                "idle end_turn,failed,confirmation;true",
                "over;true",
                "over,failed,thread;false",
                "idle end_turn,open;false",
            })
    void runsAfterTheEndOfATurnUntilSomethingHappens(String steps, boolean armed) {
        for (String step : steps.split(",", -1)) {
            take(step);
        }

        assertThat(clock.left(false, 10))
                .isEqualTo(armed ? OptionalLong.of(60) : OptionalLong.empty());
    }

    @Test
    void doesNotRunWhileACallIsUnderWayAndThenStartsAfresh() {
        clock.note(event("idle end_turn"), 10);

        assertThat(clock.left(true, 1000)).isEmpty();
        clock.unblocked(1000);
        assertThat(clock.left(false, 1010)).hasValue(50);
    }

    @Test
    void neverRunsWithoutALimit() {
        IdleClock never = new IdleClock(Duration.ZERO);
        never.note(event("idle end_turn"), 0);

        assertThat(never.left(false, Long.MAX_VALUE)).isEmpty();
    }

    private void take(String step) {
        switch (step) {
            case "failed" -> clock.historyFailed();
            case "over" -> clock.historyRead(true, 10);
            case "open" -> clock.historyRead(false, 10);
            default -> clock.note(event(step), 10);
        }
    }

    private static Event event(String step) {
        String json =
                switch (step) {
                    case "idle" -> "{'type':'session.status_idle'}";
                    case "running" -> "{'type':'session.status_running'}";
                    case "message" ->
                            "{'type':'user.message','content':[{'type':'text','text':'a'}]}";
                    case "confirmation" ->
                            "{'type':'user.tool_confirmation','tool_use_id':'a','result':'allow'}";
                    case "thread" ->
                            "{'type':'session.thread_status_terminated','session_thread_id':'t'}";
                    case "unknown" -> "{'type':'something.new'}";
                    default ->
                            "{'type':'session.status_idle','stop_reason':{'type':'"
                                    + step.replace("idle ", "")
                                    + "','event_ids':[]}}";
                };
        return Json.read(json.replace('\'', '"'), Event.class);
    }
}
