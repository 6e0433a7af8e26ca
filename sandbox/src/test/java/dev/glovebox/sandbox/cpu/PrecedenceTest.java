package dev.glovebox.sandbox.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PrecedenceTest {
    /// The last two are of 64 processors and of more sandboxes than can share them.
    @ParameterizedTest
    @CsvSource({
        "2, 1, 2, 0.25",
        "2, 4, 2, 0.25",
        "2, 10, 2, 0.2",
        "0.2, 1, 2, 0.1",
        "2, 0, 2, 0.25",
        "2, 200, 64, 0.25",
        "2, 10000, 64, 0.05"
    })
    void theAllowanceIsTheLeastOfThree(double cpus, long active, int processors, double allowance) {
        assertThat(Precedence.allowance(cpus, active, processors)).isEqualTo(allowance);
    }

    /// Of ten processors.
    @ParameterizedTest
    @CsvSource({"0.9, 0.9, true", "1, 0, false", "0, 1, false", "0, 0, true"})
    void theHeavyAreStarvedIfTheyHaveLessThanATenthOfAFullMachine(
            double heavy, double idle, boolean starved) {
        Use.Window window = new Use.Window((long) (idle * 1e9), 1_000_000_000);

        assertThat(Precedence.starved(heavy, Optional.of(window), 10)).isEqualTo(starved);
        assertThat(Precedence.starved(heavy, Optional.empty(), 10)).isFalse();
    }
}
