package dev.glovebox.linux.disk;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FlockTest {
    private static final int TIMES = 20_000;

    @TempDir Path directory;

    @Test
    void aLockThatWasLetGoIsNotHeldByAChildThatIsBeingStarted() throws Exception {
        AtomicBoolean done = new AtomicBoolean();
        try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
            List<Future<Void>> starters =
                    List.of(
                            threads.submit(() -> startChildren(done)),
                            threads.submit(() -> startChildren(done)));
            try {
                for (int i = 0; i < TIMES; i++) {
                    Flock.tryTake(directory).orElseThrow().close();
                }
            } finally {
                done.set(true);
            }
            for (Future<Void> starter : starters) {
                starter.get();
            }
        }
        assertThat(Flock.tryTake(directory)).isPresent();
    }

    @Test
    void aSharedLockKeepsOutWhoWantsItAlone() {
        try (Flock _ = Flock.tryShare(directory).orElseThrow();
                Flock _ = Flock.tryShare(directory).orElseThrow()) {
            assertThat(Flock.tryTake(directory)).isEmpty();
        }
        try (Flock _ = Flock.tryTake(directory).orElseThrow()) {
            assertThat(Flock.tryShare(directory)).isEmpty();
        }
        assertThat(Flock.tryShare(directory)).isPresent();
    }

    private static Void startChildren(AtomicBoolean done) throws Exception {
        while (!done.get()) {
            assertThat(new ProcessBuilder("/bin/true").start().waitFor()).isZero();
        }
        return null;
    }
}
