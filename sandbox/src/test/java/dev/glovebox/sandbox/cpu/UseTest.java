package dev.glovebox.sandbox.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class UseTest {
    private static final long WINDOW = 50_000_000;
    private static final double ALLOWANCE = 0.25;

    private final Use use = new Use();

    @Test
    void aWindowNeedsABeginning() {
        assertThat(use.window(Duration.ofMillis(70), 1_000)).isEmpty();

        assertThat(use.window(Duration.ofMillis(170), 200_001_000))
                .hasValueSatisfying(window -> assertThat(window.processors()).isEqualTo(0.5));
    }

    @Test
    void afterItHasStoodStillAWindowNeedsABeginningAgain() {
        assertThat(use.window(Duration.ZERO, 0)).isEmpty();
        use.forget();

        assertThat(use.window(Duration.ZERO, WINDOW)).isEmpty();
    }

    @Test
    void twoProcessorsMakeItHeavyInLessThanAFifthOfASecond() {
        assertThat(windowsUntilChange(2)).isEqualTo(3);
        assertThat(use.heavy()).isTrue();
    }

    @Test
    void aCommandOfAMomentLeavesItLight() {
        for (int i = 0; i < 100; i++) {
            settle(1); // for 50 ms, and nothing for 150
            settle(0);
            settle(0);
            settle(0);
            assertThat(use.heavy()).isFalse();
        }
    }

    @Test
    void whatItIsAllowedItMayUseForEver() {
        for (int i = 0; i < 10_000; i++) {
            assertThat(settle(ALLOWANCE)).isFalse();
        }
        assertThat(use.rested()).isTrue();
    }

    @Test
    void itIsLightAgainTwoSecondsAfterItsEndHoweverLongItWasBusy() {
        for (int i = 0; i < 100_000; i++) {
            settle(2);
        }

        assertThat(windowsUntilChange(0) * WINDOW).isEqualTo(2_000_000_000L);
        assertThat(use.heavy()).isFalse();
        assertThat(use.rested()).isTrue();
    }

    @Test
    void oneThatWorksInBurstsStaysHeavyBetweenThem() {
        windowsUntilChange(2);
        for (int i = 0; i < 100; i++) {
            for (int busy = 0; busy < 10; busy++) {
                settle(1);
            }
            for (int still = 0; still < 20; still++) {
                assertThat(settle(0)).isFalse();
            }
        }
        assertThat(use.heavy()).isTrue();
    }

    /// @return whether it is something else now
    private boolean settle(double processors) {
        boolean before = use.heavy();
        use.settle(new Use.Window((long) (processors * WINDOW), WINDOW), ALLOWANCE);
        return use.heavy() != before;
    }

    private int windowsUntilChange(double processors) {
        int windows = 1;
        while (!settle(processors)) {
            windows++;
            assertThat(windows).isLessThan(1_000);
        }
        return windows;
    }
}
