package dev.glovebox.linux;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class KernelClockTest {
    @Test
    void everybodyMayAskWhetherTheClockIsKeptRight() {
        assertThat(KernelClock.synchronised()).isPresent();
    }
}
