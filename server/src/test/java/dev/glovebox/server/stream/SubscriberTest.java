package dev.glovebox.server.stream;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

/// What waits for a stream's reader.
class SubscriberTest {
    private static final Duration SHORT = Duration.ofMillis(10);

    private final Subscriber subscriber = new Subscriber();

    @Test
    void framesAreTakenTogetherInOrder() throws InterruptedException {
        subscriber.offer(new byte[] {1});
        subscriber.offer(new byte[] {2});
        var taken = subscriber.take(SHORT);
        assertThat(taken.frames()).containsExactly(new byte[] {1}, new byte[] {2});
        assertThat(taken.last()).isFalse();
        assertThat(subscriber.take(SHORT).frames()).isEmpty();
    }

    @Test
    void readerThatIsTooSlowLosesItsStream() throws InterruptedException {
        for (int i = 0; i <= Subscriber.MAX_FRAMES; i++) {
            subscriber.offer(new byte[1]);
        }
        var taken = subscriber.take(SHORT);
        assertThat(taken.last()).isTrue();
        assertThat(taken.frames()).isEmpty();
        subscriber.offer(new byte[1]);
        assertThat(subscriber.take(SHORT).frames()).isEmpty();
    }

    @Test
    void bytesAreBoundedTooButOneLargeFramePasses() throws InterruptedException {
        subscriber.offer(new byte[Subscriber.MAX_BYTES + 1]);
        assertThat(subscriber.take(SHORT).frames()).hasSize(1);
        subscriber.offer(new byte[Subscriber.MAX_BYTES]);
        subscriber.offer(new byte[1]);
        assertThat(subscriber.take(SHORT).last()).isTrue();
    }

    @Test
    void endLetsTheReaderTakeWhatWaits() throws InterruptedException {
        subscriber.offer(new byte[1]);
        subscriber.end();
        var taken = subscriber.take(SHORT);
        assertThat(taken.frames()).hasSize(1);
        assertThat(taken.last()).isTrue();
    }
}
