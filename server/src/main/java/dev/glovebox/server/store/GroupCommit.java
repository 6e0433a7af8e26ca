package dev.glovebox.server.store;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jdbi.v3.core.Handle;

/// The one writer, and the reason why many requests share one fsync.
///
/// SQLite lets one transaction write at a time, and a durable commit costs one fsync, whatever its
/// size. So writes are not spread over connections that would wait for each other's lock: they go
/// through one queue to one thread. It takes what has gathered while the last commit was on its way
/// to the disk, runs every body inside one database transaction, each behind a savepoint of its own
/// so that a failing one takes nothing of its neighbours with it, and commits once. Only then do
/// the after-commit actions run, in order, and the callers wake. Under load the batch grows by
/// itself; alone, a write waits for nobody.
///
/// The thread is a platform thread: a JDBC call is a native call, and an fsync would hold a virtual
/// thread's carrier for as long as the disk takes.
final class GroupCommit implements AutoCloseable {
    /// Most transactions that wait; beyond that a caller is told to come back.
    static final int QUEUE_LIMIT = 8192;

    /// Most transactions in one commit, which bounds how long the first of them waits.
    static final int BATCH_LIMIT = 256;

    private static final System.Logger LOG = System.getLogger(GroupCommit.class.getName());

    private final BlockingQueue<Entry<?>> queue = new ArrayBlockingQueue<>(QUEUE_LIMIT);
    private final Handle handle;
    private final Ticks ticks;
    private final Thread thread;
    private volatile boolean closed;

    /// @param handle the one connection that writes, owned from here on
    GroupCommit(Handle handle, Ticks ticks) {
        this.handle = handle;
        this.ticks = ticks;
        this.thread = Thread.ofPlatform().name("store writer").daemon().unstarted(this::run);
        thread.start();
    }

    <T> CompletableFuture<T> submit(Function<Transaction, T> body) {
        Entry<T> entry = new Entry<>(body);
        if (closed) {
            throw new StoreException("the store is closed", false);
        }
        if (!queue.offer(entry)) {
            throw new StoreException("too many writes are waiting", true);
        }
        if (closed && queue.remove(entry)) {
            throw new StoreException("the store is closed", false);
        }
        return entry.done;
    }

    private void run() {
        List<Entry<?>> batch = new ArrayList<>();
        while (!closed || !queue.isEmpty()) {
            try {
                batch.add(queue.take());
                queue.drainTo(batch, BATCH_LIMIT - 1);
                commit(batch);
            } catch (InterruptedException _) {
                // close() wakes the thread; the loop's condition decides
            } finally {
                batch.clear();
            }
        }
        handle.close();
    }

    private void commit(List<Entry<?>> batch) {
        List<Entry<?>> kept = new ArrayList<>(batch.size());
        try {
            handle.begin();
            for (Entry<?> entry : batch) {
                if (entry.run(handle, ticks)) {
                    kept.add(entry);
                }
            }
            handle.commit();
        } catch (RuntimeException e) {
            LOG.log(
                    System.Logger.Level.ERROR,
                    "commit failed, " + batch.size() + " writes lost",
                    e);
            rollback();
            kept.forEach(entry -> entry.fail(new StoreException("the commit failed", e)));
            batch.forEach(entry -> entry.fail(new StoreException("the commit failed", e)));
            return;
        }
        kept.forEach(Entry::succeed);
    }

    private void rollback() {
        try {
            handle.rollback();
        } catch (RuntimeException e) {
            LOG.log(System.Logger.Level.ERROR, "rollback failed", e);
        }
    }

    @Override
    public void close() {
        closed = true;
        thread.interrupt();
        try {
            thread.join();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    /// One queued transaction and its caller.
    private static final class Entry<T> {
        private static final String SAVEPOINT = "entry";

        private final Function<Transaction, T> body;
        private final CompletableFuture<T> done = new CompletableFuture<>();
        private List<Runnable> actions = List.of();
        private Runnable outcome = () -> {};

        Entry(Function<Transaction, T> body) {
            this.body = body;
        }

        /// Runs the body; on failure undoes what it wrote and tells the caller at once.
        boolean run(Handle handle, Ticks ticks) {
            Transaction transaction = new Transaction(handle, ticks);
            handle.savepoint(SAVEPOINT);
            try {
                T result = body.apply(transaction);
                handle.releaseSavepoint(SAVEPOINT);
                actions = transaction.actions();
                outcome = () -> done.complete(result);
                return true;
            } catch (RuntimeException e) {
                handle.rollbackToSavepoint(SAVEPOINT);
                done.completeExceptionally(e);
                return false;
            }
        }

        void succeed() {
            for (Runnable action : actions) {
                try {
                    action.run();
                } catch (RuntimeException e) {
                    LOG.log(System.Logger.Level.ERROR, "an after-commit action failed", e);
                }
            }
            outcome.run();
        }

        void fail(StoreException cause) {
            done.completeExceptionally(cause);
        }
    }
}
