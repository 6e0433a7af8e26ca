package dev.glovebox.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class SessionHoldsTest {
    @Test
    void aSessionIsHeldOnceAtATime() {
        SessionHolds holds = new SessionHolds(Duration.ofMillis(20));
        SessionHolds.Hold first = holds.take("a");

        assertThatThrownBy(() -> holds.take("a"))
                .isInstanceOf(WorkerException.class)
                .hasMessageContaining("still there");
        holds.take("b").close();
        first.close();
        holds.take("a").close();
    }

    @Test
    void theNextOneWaitsForTheLast() throws InterruptedException {
        SessionHolds holds = new SessionHolds(Duration.ofSeconds(10));
        SessionHolds.Hold first = holds.take("a");
        CountDownLatch taken = new CountDownLatch(1);
        Thread.ofVirtual()
                .start(() -> {
                    holds.take("a").close();
                    taken.countDown();
                });
        assertThat(taken.getCount()).isEqualTo(1);

        first.close();

        assertThat(taken.await(10, TimeUnit.SECONDS)).isTrue();
    }
}
