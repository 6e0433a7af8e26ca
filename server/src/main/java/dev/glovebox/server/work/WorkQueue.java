package dev.glovebox.server.work;

import dev.glovebox.protocol.IdKind;
import dev.glovebox.protocol.work.WorkSecret;
import dev.glovebox.server.access.Caller;
import dev.glovebox.server.access.Credentials;
import dev.glovebox.server.store.Store;
import dev.glovebox.server.store.Ticks;
import dev.glovebox.server.store.Transaction;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.jdbi.v3.core.Handle;
import org.jspecify.annotations.Nullable;

/// The queues of all environments: at most one live item a session, handed to at most one worker
/// that keeps it.
public final class WorkQueue {
    /// How long a sessions token outlives the loss of its item, so that a worker can finish its
    /// uploads.
    private static final Duration LOST_TOKEN_GRACE = Duration.ofSeconds(60);

    /// How long a sessions token outlives the end of its item: long enough for a late stop to be
    /// answered as what it is.
    private static final Duration ENDED_TOKEN_GRACE = Duration.ofMinutes(15);

    /// Items that a session gets without getting on.
    static final int MAX_TRIES = 5;

    /// The first pause before a session gets another item; it doubles with each.
    private static final Duration RETRY_PAUSE = Duration.ofSeconds(1);

    private final Store store;
    private final Credentials credentials;
    private final RandomGenerator random;
    private final Duration leaseTtl;
    private final WorkSignal signal = new WorkSignal();

    /// @param leaseTtl how long an item is held after a heartbeat, and until the first
    public WorkQueue(
            Store store, Credentials credentials, RandomGenerator random, Duration leaseTtl) {
        this.store = store;
        this.credentials = credentials;
        this.random = random;
        this.leaseTtl = leaseTtl;
    }

    Duration leaseTtl() {
        return leaseTtl;
    }

    /// Makes sure that the session has a live item.
    public void ensure(Transaction tx, String environmentId, String sessionId) {
        if (WorkRows.live(tx.handle(), sessionId).isPresent()) {
            return;
        }
        WorkRows.insert(
                tx.handle(),
                WorkItem.queued(
                        new WorkItem.Origin(
                                IdKind.WORK.next(random),
                                environmentId,
                                sessionId,
                                tx.now(),
                                "{}")));
        tx.afterCommit(() -> signal.ring(environmentId));
    }

    /// Ends the session's item, whoever holds it: the session is over.
    public void end(Transaction tx, String sessionId) {
        WorkRows.live(tx.handle(), sessionId).ifPresent(item -> save(tx, item.stopped(tx.now())));
    }

    /// An item on its way to a worker.
    record Delivered(WorkItem item, WorkSecret secret) {}

    /// Hands out the next item, waiting for one if there is none.
    ///
    /// @param wait how long; zero looks once
    /// @param reclaimAfter age from which an unacknowledged delivery is handed out again
    Optional<Delivered> poll(
            String environmentId, @Nullable String workerId, Duration wait, Duration reclaimAfter) {
        long end = System.nanoTime() + wait.toNanos();
        while (true) {
            long seen = signal.count(environmentId);
            Optional<Delivered> delivered =
                    store.write(tx -> deliver(tx, environmentId, workerId, reclaimAfter));
            Duration left = Duration.ofNanos(end - System.nanoTime());
            if (delivered.isPresent() || !left.isPositive()) {
                return delivered;
            }
            try {
                signal.await(environmentId, seen, left);
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
                return Optional.empty();
            }
        }
    }

    private Optional<Delivered> deliver(
            Transaction tx,
            String environmentId,
            @Nullable String workerId,
            Duration reclaimAfter) {
        String now = tx.now();
        String cutoff = Ticks.plus(now, reclaimAfter.negated());
        return WorkRows.next(tx.handle(), environmentId, cutoff)
                .map(waiting -> {
                    WorkItem item = waiting.deliver(now, workerId);
                    WorkRows.update(tx.handle(), item);
                    return new Delivered(item, mint(tx, item));
                });
    }

    private WorkSecret mint(Transaction tx, WorkItem item) {
        String id = "sestok_" + item.origin().id() + "_" + item.delivery().number();
        return new WorkSecret(
                credentials.mint(
                        tx,
                        Credentials.Grant.sessionsToken(
                                id,
                                item.origin().environmentId(),
                                item.origin().sessionId(),
                                item.origin().id(),
                                item.delivery().number())));
    }

    /// Takes a delivered item off the queue; empty on conflict.
    Optional<WorkItem> acknowledge(String environmentId, String id, Caller by) {
        return store.write(tx -> {
            Optional<WorkItem> taken =
                    WorkRows.require(tx.handle(), environmentId, id)
                            .acknowledge(by, tx.now(), leaseTtl);
            taken.ifPresent(item -> WorkRows.update(tx.handle(), item));
            return taken;
        });
    }

    /// A judged heartbeat and the item as it stands after it.
    record Beaten(WorkItem.Beat beat, WorkItem item) {}

    /// Extends a lease.
    Beaten beat(
            String environmentId, String id, Optional<String> expected, Caller by, Duration ttl) {
        return store.write(tx -> {
            WorkItem item = WorkRows.require(tx.handle(), environmentId, id);
            WorkItem.Beat beat = item.beat(expected, by, tx.now(), ttl);
            if (beat instanceof WorkItem.Beat.Extended(WorkItem extended)) {
                WorkRows.update(tx.handle(), extended);
                return new Beaten(beat, extended);
            }
            return new Beaten(beat, item);
        });
    }

    /// Ends an attempt; empty on conflict.
    Optional<WorkItem> stop(String environmentId, String id, boolean force, Caller by) {
        return store.write(tx -> {
            Optional<WorkItem> changed =
                    WorkRows.require(tx.handle(), environmentId, id).stop(force, by, tx.now());
            changed.ifPresent(item -> save(tx, item));
            return changed;
        });
    }

    /// Puts items back whose worker has gone silent, asks workers to leave that hold a session
    /// which has been idle for long, and calls a worker again where the last one left with calls
    /// unanswered. The writer is troubled only when there is something to do.
    ///
    /// @param idleFor how long is long
    void sweep(Duration idleFor, String now) {
        if (store.read(handle -> Due.find(handle, idleFor, now).isEmpty())) {
            return;
        }
        store.write(tx -> {
            String then = tx.now();
            Due due = Due.find(tx.handle(), idleFor, then);
            due.overdue.forEach(item -> save(tx, item.expire(then)));
            due.forgotten.forEach(item -> save(tx, item.stopping(then)));
            due.unattended.forEach(u -> ensure(tx, u.environmentId(), u.sessionId()));
            return due;
        });
    }

    /// What a sweep finds.
    private record Due(
            List<WorkItem> overdue,
            List<WorkItem> forgotten,
            List<WorkRows.Unattended> unattended) {

        static Due find(Handle handle, Duration idleFor, String now) {
            return new Due(
                    WorkRows.overdue(handle, now),
                    WorkRows.forgotten(handle, Ticks.plus(now, idleFor.negated())),
                    WorkRows.unattended(handle).stream().filter(u -> tryAgain(u, now)).toList());
        }

        /// A worker that was drained leaves calls behind that the next one should take at once; one
        /// that fails on every session should not be sent there for ever. So a session that does
        /// not get on is tried a few times with growing pauses, then waits for an interrupt.
        private static boolean tryAgain(WorkRows.Unattended session, String now) {
            Duration pause = RETRY_PAUSE.multipliedBy(1L << Math.min(session.tries(), MAX_TRIES));
            return session.tries() < MAX_TRIES
                    && Ticks.plus(session.lastStop(), pause).compareTo(now) <= 0;
        }

        boolean isEmpty() {
            return overdue.isEmpty() && forgotten.isEmpty() && unattended.isEmpty();
        }
    }

    private void save(Transaction tx, WorkItem item) {
        WorkRows.update(tx.handle(), item);
        switch (item.state()) {
            case QUEUED -> {
                expireTokens(tx, item, LOST_TOKEN_GRACE);
                tx.afterCommit(() -> signal.ring(item.origin().environmentId()));
            }
            case STOPPED -> expireTokens(tx, item, ENDED_TOKEN_GRACE);
            case STARTING, ACTIVE, STOPPING -> {}
        }
    }

    private static void expireTokens(Transaction tx, WorkItem item, Duration grace) {
        tx.handle()
                .createUpdate(
                        """
                        UPDATE credentials SET expires_at = :end
                        WHERE work_id = :work AND (expires_at IS NULL OR expires_at > :end)
                        """)
                .bind("end", Ticks.plus(tx.now(), grace))
                .bind("work", item.origin().id())
                .execute();
    }
}
