package dev.glovebox.worker.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class CallLogTest {
    private final CallLog log = new CallLog();

    @Test
    void callsAreNumberedAsTheyEndAndThoseThatRunComeLast() {
        CallLog.Running first = log.begin("agent", "bash", "sleep 1");
        log.begin("agent", "read", "a").end("ok", "text");
        assertThat(log.busyWith()).isEqualTo("bash");
        assertThat(log.after(0))
                .extracting(LoggedCall::tool, LoggedCall::number, LoggedCall::outcome)
                .containsExactly(tuple("read", 1L, "ok"), tuple("bash", 0L, "running"));
        first.end("error", "");
        first.end("ok", "a second end");
        assertThat(log.after(1)).extracting(LoggedCall::outcome).containsExactly("error");
        assertThat(log.busyWith()).isEmpty();
        assertThat(log.last()).isEqualTo(2);
    }

    @Test
    void memoryIsBoundedWhateverIsCalled() {
        String large = "x".repeat(1_000_000);
        for (int i = 0; i < 1000; i++) {
            log.begin("agent", "bash", large).end("ok", large);
        }
        List<LoggedCall> kept = log.after(0);
        assertThat(kept.stream().mapToInt(LoggedCall::size).sum())
                .isBetween(CallLog.MOST_CHARACTERS / 2, CallLog.MOST_CHARACTERS);
        assertThat(kept.getLast().number()).isEqualTo(1000);
        for (int i = 0; i < 1000; i++) {
            log.begin("agent", "bash", "").end("ok", "");
        }
        assertThat(log.after(0)).hasSize(CallLog.MOST_CALLS);
        assertThat(log.agentCalls()).isEqualTo(2000);
    }

    @Test
    void theEndOfAnOutputIsKeptWithoutHalfACharacter() {
        String faces = "\ud83d\ude00".repeat(CallLog.OUTPUT_CHARACTERS);
        log.begin("agent", "bash", "").end("ok", faces + "x");
        String kept = log.after(0).getFirst().output();
        assertThat(kept).startsWith("...\ud83d\ude00").endsWith("\ud83d\ude00x");
    }

    @Test
    void whoWaitsIsToldOfTheNextCallAndNoLongerThanAsked() throws InterruptedException {
        log.await(0, Duration.ofMillis(1));
        Thread waiting =
                Thread.ofVirtual()
                        .start(() -> {
                            try {
                                log.await(0, Duration.ofMinutes(1));
                            } catch (InterruptedException _) {
                                Thread.currentThread().interrupt();
                            }
                        });
        log.begin("operator", "exec", "id").end("exit 0", "");
        assertThat(waiting.join(Duration.ofSeconds(50))).isTrue();
        assertThat(log.agentCalls()).isZero();
    }
}
