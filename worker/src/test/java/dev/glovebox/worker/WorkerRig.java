package dev.glovebox.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.worker.session.CallJournal;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;

/// A worker without sandboxes, against a small control plane over real HTTP.
final class WorkerRig implements AutoCloseable {
    final FakeControlPlane plane = new FakeControlPlane();
    final FakeHands hands = new FakeHands();
    final Worker worker;
    final CompletableFuture<Void> running = new CompletableFuture<>();

    WorkerRig(UnaryOperator<WorkerConfig> change) {
        WorkerConfig config =
                plane.worker(Path.of("/nowhere"))
                        .withMaxIdle(Duration.ofMillis(150))
                        .withDrainGrace(Duration.ofSeconds(5));
        worker = new Worker(change.apply(config), hands, CallJournal.NONE);
    }

    void start() {
        Thread.ofVirtual()
                .name("worker")
                .start(() -> {
                    try {
                        worker.run();
                        running.complete(null);
                    } catch (RuntimeException e) {
                        running.completeExceptionally(e);
                    }
                });
    }

    /// Waits until it is so, a minute at most.
    static void await(BooleanSupplier condition) {
        long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("waited too long").isLessThan(deadline);
            LockSupport.parkNanos(2_000_000);
        }
    }

    @Override
    public void close() {
        hands.letGo.countDown();
        worker.close();
        plane.close();
    }
}
