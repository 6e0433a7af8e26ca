package dev.glovebox.sandbox.cpu;

import static org.assertj.core.api.Assertions.assertThat;

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
}
