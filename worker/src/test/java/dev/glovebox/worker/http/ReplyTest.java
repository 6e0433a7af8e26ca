package dev.glovebox.worker.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.node.MissingNode;

class ReplyTest {
    private static final Backoff BACKOFF =
            new Backoff(Duration.ofMillis(500), Duration.ofSeconds(8));

    @ParameterizedTest
    @CsvSource({"0, 500", "1, 1000", "2, 2000", "3, 4000", "4, 8000", "5, 8000", "5000, 8000"})
    void pausesDoubleUpToTheirCapLessAQuarter(int failures, long full) {
        SplittableRandom random = new SplittableRandom(7);
        for (int i = 0; i < 100; i++) {
            assertThat(BACKOFF.pause(failures, random).toMillis())
                    .isBetween(full * 3 / 4 - 1, full);
        }
    }

    @Test
    void refusesABackoffThatIsNone() {
        assertThatThrownBy(() -> new Backoff(Duration.ZERO, Duration.ofSeconds(1)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Backoff(Duration.ofSeconds(2), Duration.ofSeconds(1)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @CsvSource({
        "400, true, false", "401, true, false", "404, true, false", "408, false, true",
        "409, false, true", "412, true, false", "413, true, false", "429, false, true",
        "500, false, true", "503, false, true", "529, false, true", "302, false, false"
    })
    void aStatusIsFatalOrWorthAnotherTry(int status, boolean fatal, boolean retryable) {
        Reply<String> reply = refused(status, Optional.empty());

        assertThat(reply.fatal()).isEqualTo(fatal);
        assertThat(reply.retryable()).isEqualTo(retryable);
    }

    @Test
    void theServersWordGoesBeforeTheStatus() {
        assertThat(refused(409, Optional.of(false)).retryable()).isFalse();
        assertThat(refused(400, Optional.of(true)).retryable()).isTrue();
    }

    private static Reply<String> refused(int status, Optional<Boolean> retry) {
        return new Reply.Refused<>(
                status, "error", "", MissingNode.getInstance(), Optional.empty(), retry);
    }
}
