package dev.glovebox.egress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class DenialLogTest {
    private final AtomicReference<Instant> now = new AtomicReference<>(Instant.EPOCH);
    private final DenialLog log = new DenialLog(3, now::get);

    private void pass(Duration time) {
        now.updateAndGet(instant -> instant.plus(time));
    }

    @Test
    void since_givesWhatHappenedThenOrLater() {
        log.add("a", 1, "r");
        pass(Duration.ofSeconds(2));
        log.add("b", 1, "r");
        assertThat(log.since(Instant.EPOCH))
                .extracting(Denial::destination)
                .containsExactly("a", "b");
        assertThat(log.since(now.get())).extracting(Denial::destination).containsExactly("b");
    }

    @Test
    void sameDenialWithinASecond_isOneLine() {
        log.add("a", 1, "r");
        log.add("a", 1, "r");
        log.add("a", 2, "r");
        pass(Duration.ofSeconds(1));
        log.add("a", 1, "r");
        assertThat(log.since(Instant.EPOCH)).hasSize(3);
    }

    @Test
    void beyondCapacity_theOldestIsForgotten() {
        for (int port = 1; port <= 5; port++) {
            log.add("a", port, "r");
        }
        assertThat(log.since(Instant.EPOCH)).extracting(Denial::port).containsExactly(3, 4, 5);
    }

    @Test
    void configuration_badValuesAreRefusedNamingTheKey() {
        assertThatThrownBy(() ->
                        new DoorLimits(
                                0,
                                Duration.ofSeconds(1),
                                Duration.ofSeconds(1),
                                Duration.ofSeconds(1),
                                1,
                                1,
                                1,
                                Duration.ofSeconds(1)))
                .isInstanceOf(EgressException.class)
                .hasMessageContaining("connections");
        assertThatThrownBy(() ->
                        new DoorLimits(
                                1,
                                Duration.ofSeconds(1),
                                Duration.ofSeconds(1),
                                Duration.ZERO,
                                1,
                                1,
                                1,
                                Duration.ofSeconds(1)))
                .hasMessageContaining("idle");
        assertThatThrownBy(() ->
                        new EgressConfig(Path.of("relative"), DoorLimits.DEFAULT, _ -> List.of()))
                .hasMessageContaining("relative");
        assertThat(DoorLimits.DEFAULT.connections()).isEqualTo(256);
        assertThat(DoorLimits.DEFAULT.firstBytes()).isEqualTo(Duration.ofSeconds(10));
    }
}
