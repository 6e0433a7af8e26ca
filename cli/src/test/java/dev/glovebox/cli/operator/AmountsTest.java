package dev.glovebox.cli.operator;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class AmountsTest {
    @Test
    void bytes() {
        assertThat(Amounts.bytes(0)).isEqualTo("0B");
        assertThat(Amounts.bytes(1536)).isEqualTo("1.5K");
        assertThat(Amounts.bytes(2048L << 20)).isEqualTo("2.0G");
        assertThat(Amounts.bytes(512L << 20)).isEqualTo("512M");
        assertThat(Amounts.bytes(Long.MAX_VALUE)).endsWith("T");
    }

    @Test
    void ages() {
        assertThat(Amounts.age(Duration.ofSeconds(-1))).isEqualTo("0s");
        assertThat(Amounts.age(Duration.ofSeconds(59))).isEqualTo("59s");
        assertThat(Amounts.age(Duration.ofSeconds(728))).isEqualTo("12m08s");
        assertThat(Amounts.age(Duration.ofMinutes(200))).isEqualTo("3h20m");
        assertThat(Amounts.age(Duration.ofHours(52))).isEqualTo("2d4h");
    }

    @Test
    void seconds() {
        assertThat(Amounts.seconds(12)).isEqualTo("0.012s");
        assertThat(Amounts.seconds(1340)).isEqualTo("1.3s");
        assertThat(Amounts.seconds(75_000)).isEqualTo("75s");
    }
}
