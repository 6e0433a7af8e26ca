package dev.glovebox.server.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The one writer on a real file.
class GroupCommitTest {
    @TempDir Path directory;
    private SqliteStore store;

    @BeforeEach
    void open() {
        store = SqliteStore.open(directory.resolve("control.db"), Clock.systemUTC());
    }

    @AfterEach
    void close() {
        store.close();
    }

    private static String insert(Transaction tx, String id) {
        String now = tx.now();
        tx.handle()
                .createUpdate(
                        "INSERT INTO agents (id, version, created_at, updated_at)"
                                + " VALUES (:id, 1, :now, :now)")
                .bind("id", id)
                .bind("now", now)
                .execute();
        return now;
    }

    private List<String> agents() {
        return store.read(handle ->
                handle.createQuery("SELECT id FROM agents ORDER BY id").mapTo(String.class).list());
    }

    @Test
    void failingTransactionTakesNothingOfItsNeighbours() throws InterruptedException {
        CountDownLatch gate = new CountDownLatch(1);
        // holds the writer, so that the rest gathers into one batch
        var held =
                store.submit(tx -> {
                    await(gate);
                    return insert(tx, "agent_0");
                });
        var one = store.submit(tx -> insert(tx, "agent_1"));
        var bad =
                store.submit(tx -> {
                    insert(tx, "agent_2");
                    throw new IllegalStateException("a refusal");
                });
        var twice = store.submit(tx -> insert(tx, "agent_1"));
        var three = store.submit(tx -> insert(tx, "agent_3"));
        gate.countDown();
        CompletableFuture.allOf(held, one, three).join();
        assertThat(bad).isCompletedExceptionally();
        assertThatThrownBy(twice::join).hasMessageContaining("UNIQUE");
        assertThat(agents()).containsExactly("agent_0", "agent_1", "agent_3");
    }

    private static void await(CountDownLatch gate) {
        try {
            gate.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void actionsRunAfterTheCommitInTheOrderOfTheWritesAndNeverAfterARefusal() {
        List<String> log = new ArrayList<>();
        CountDownLatch gate = new CountDownLatch(1);
        var held =
                store.submit(tx -> {
                    await(gate);
                    return "";
                });
        List<CompletableFuture<String>> all = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            String id = "agent_" + i;
            all.add(
                    store.submit(tx -> {
                        String at = insert(tx, id);
                        tx.afterCommit(() -> log.add(agents().contains(id) ? id : "too early"));
                        return at;
                    }));
        }
        var refused =
                store.submit(tx -> {
                    tx.afterCommit(() -> log.add("refused"));
                    throw new IllegalStateException("a refusal");
                });
        gate.countDown();
        held.join();
        all.forEach(CompletableFuture::join);
        assertThat(refused.handle((_, e) -> e).join()).isInstanceOf(IllegalStateException.class);
        assertThat(log).hasSize(50).doesNotContain("too early", "refused");
        assertThat(log.getFirst()).isEqualTo("agent_0");
        assertThat(log.getLast()).isEqualTo("agent_49");
        assertThat(all.stream().map(CompletableFuture::join)).isSorted().doesNotHaveDuplicates();
    }

    @Test
    void closedStoreRefusesButFinishesWhatWaits() {
        var last = store.submit(tx -> insert(tx, "agent_last"));
        store.close();
        assertThat(last).isCompleted();
        assertThatThrownBy(() -> store.write(tx -> insert(tx, "agent_late")))
                .isInstanceOf(StoreException.class);
        store = SqliteStore.open(directory.resolve("control.db"), Clock.systemUTC());
        assertThat(agents()).containsExactly("agent_last");
    }

    @Test
    void stampsRiseThoughTheClockStands() throws IOException {
        try (SqliteStore frozen =
                SqliteStore.open(
                        directory.resolve("other.db"),
                        Clock.fixed(Instant.parse("2026-01-01T00:00:00Z"), ZoneOffset.UTC))) {
            List<String> stamps = frozen.write(tx -> List.of(tx.now(), tx.now(), tx.now()));
            assertThat(stamps)
                    .containsExactly(
                            "2026-01-01T00:00:00.000000Z",
                            "2026-01-01T00:00:00.000001Z",
                            "2026-01-01T00:00:00.000002Z");
        }
    }
}
