package dev.glovebox.egress.credential;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.Secret;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LiveSecretTest {
    private static final Duration LIFE = Duration.ofSeconds(100);

    private final SetClock clock = new SetClock();
    private final Deque<Runnable> waiting = new ArrayDeque<>();
    private int fetched;
    private boolean broken;

    private SecretSource.Fetched fetch() throws CredentialException {
        if (broken) {
            throw new CredentialException("the service is away");
        }
        fetched++;
        return new SecretSource.Fetched(
                new Secret("value-" + fetched), clock.instant().plus(LIFE), "");
    }

    private final LiveSecret live = new LiveSecret(this::fetch, waiting::add, clock);

    private void run() {
        waiting.removeFirst().run();
    }

    private static String shown(CompletableFuture<LiveSecret.Held> value) {
        return value.state() == java.util.concurrent.Future.State.FAILED
                ? String.valueOf(value.exceptionNow().getMessage())
                : value.isDone() ? value.join().value().reveal() : "waiting";
    }

    @Test
    void manyWhoAsk_shareOneFetch() {
        List<CompletableFuture<LiveSecret.Held>> asked = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            asked.add(live.value());
        }
        assertThat(waiting).hasSize(1);
        asked.getFirst().cancel(true);
        run();
        assertThat(asked.subList(1, 50)).allMatch(each -> shown(each).equals("value-1"));
        assertThat(shown(live.value())).isEqualTo("value-1");
        assertThat(waiting).isEmpty();
    }

    @Test
    void aValueIsFetchedAheadOfItsExpiry_behindThoseWhoAsk() {
        assertThat(shown(live.value())).isEqualTo("waiting");
        run();
        clock.advance(LIFE.multipliedBy(3).dividedBy(4));
        assertThat(shown(live.value())).isEqualTo("value-1");
        assertThat(waiting).isEmpty();
        clock.advance(LIFE.dividedBy(10));
        assertThat(shown(live.value())).isEqualTo("value-1");
        assertThat(shown(live.value())).isEqualTo("value-1");
        assertThat(waiting).hasSize(1);
        run();
        assertThat(shown(live.value())).isEqualTo("value-2");
        assertThat(live.value().join().generation()).isEqualTo(2);
    }

    @Test
    void theLastGoodValueServesUntilItsExpiry_andNotAnInstantLonger() {
        assertThat(shown(live.value())).isEqualTo("waiting");
        run();
        broken = true;
        clock.advance(LIFE.minusSeconds(1));
        assertThat(shown(live.value())).isEqualTo("value-1");
        run();
        assertThat(shown(live.value())).isEqualTo("value-1");
        assertThat(waiting).as("the source is left in peace").isEmpty();

        clock.advance(Duration.ofSeconds(1));
        CompletableFuture<LiveSecret.Held> late = live.value();
        assertThat(shown(late)).isEqualTo("waiting");
        run();
        assertThat(shown(late)).contains("the service is away").doesNotContain("value");
        assertThat(shown(live.value())).contains("the service is away");
        assertThat(waiting).isEmpty();

        broken = false;
        clock.advance(Duration.ofSeconds(30));
        CompletableFuture<LiveSecret.Held> again = live.value();
        run();
        assertThat(shown(again)).isEqualTo("value-2");
    }

    @Test
    void aFileThatChanges_isReadForTheNextWhoAsks(@TempDir Path directory) throws Exception {
        Path file = Files.writeString(directory.resolve("key"), "first-value\n");
        LiveSecret ofFile = new LiveSecret(new FileSource(file), Runnable::run, clock);
        assertThat(shown(ofFile.value())).isEqualTo("first-value");
        assertThat(ofFile.value().join().generation()).isEqualTo(1);

        Path next = Files.writeString(directory.resolve("next"), "other-value\n");
        Files.setLastModifiedTime(next, Files.getLastModifiedTime(file));
        Files.move(next, file, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        assertThat(shown(ofFile.value())).as("same time and size").isEqualTo("other-value");
        assertThat(ofFile.value().join().generation()).isEqualTo(2);

        Files.delete(file);
        assertThat(shown(ofFile.value())).contains("cannot be read").doesNotContain("value");
        Files.writeString(file, "third-value");
        assertThat(shown(ofFile.value())).as("at once, no pause").isEqualTo("third-value");
    }

    @Test
    void neitherPrintsTheValue() {
        CompletableFuture<LiveSecret.Held> value = live.value();
        run();
        assertThat(
                        ""
                                + live
                                + value
                                + value.join()
                                + new SecretSource.Fetched(value.join().value(), Instant.MAX, ""))
                .doesNotContain("value-1");
    }
}
