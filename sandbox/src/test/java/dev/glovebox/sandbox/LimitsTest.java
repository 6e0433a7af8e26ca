package dev.glovebox.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.sandbox.SandboxException.Band;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LimitsTest {
    @ParameterizedTest
    @CsvSource({
        "0,0",
        "1234,1234",
        "1k,1024",
        "256m,268435456",
        "256M,268435456",
        "256MiB,268435456",
        "256mb,268435456",
        "2g,2147483648",
        "1t,1099511627776"
    })
    void readsSizes(String text, long bytes) {
        assertThat(Limits.bytes(text)).isEqualTo(bytes);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "m",
                "-1",
                "1.5g",
                "1 m",
                "0x10",
                "1p",
                "99999999999999999",
                "999999999999999t"
            })
    void refusesWhatIsNoSize(String text) {
        assertThatThrownBy(() -> Limits.bytes(text))
                .isInstanceOfSatisfying(
                        SandboxException.class, e -> assertThat(e.band()).isEqualTo(Band.CALLER))
                .hasMessageContaining(text);
    }

    @Test
    void defaultsAreTheDocumentedOnes() {
        assertThat(Limits.DEFAULT).isEqualTo(new Limits(2L << 30, 2, 512, 16_384, 10L << 30));
    }

    @Test
    void whatIsInMemoryFitsIntoTheMemory() {
        Limits limits = Limits.DEFAULT.withMemory("64m");

        assertThat(limits.tmpBytes() + limits.homeBytes() + limits.shmBytes())
                .isLessThan(limits.memoryBytes());
    }

    @Test
    void refusesValuesOutOfRange() {
        assertThatThrownBy(() -> Limits.DEFAULT.withMemory("1m")).hasMessageContaining("memory");
        assertThatThrownBy(() -> Limits.DEFAULT.withCpus(0)).hasMessageContaining("cpus");
        assertThatThrownBy(() -> Limits.DEFAULT.withCpus(Double.NaN)).hasMessageContaining("cpus");
        assertThatThrownBy(() -> Limits.DEFAULT.withPids(1)).hasMessageContaining("pids");
        assertThatThrownBy(() -> Limits.DEFAULT.withOpenFiles(63))
                .hasMessageContaining("open files");
        assertThatThrownBy(() -> Limits.DEFAULT.withFileBytes(0))
                .hasMessageContaining("longest file");
    }
}
