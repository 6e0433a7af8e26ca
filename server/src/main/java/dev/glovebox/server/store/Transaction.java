package dev.glovebox.server.store;

import java.util.ArrayList;
import java.util.List;
import org.jdbi.v3.core.Handle;

/// One running write transaction.
public final class Transaction {
    private final Handle handle;
    private final Ticks ticks;
    private final List<Runnable> afterCommit = new ArrayList<>();

    Transaction(Handle handle, Ticks ticks) {
        this.handle = handle;
        this.ticks = ticks;
    }

    /// The connection the transaction runs on; not to be kept.
    public Handle handle() {
        return handle;
    }

    /// A new point in time, later than any given out before: RFC 3339 in UTC with six decimals.
    public String now() {
        return ticks.next();
    }

    /// Has something done once the transaction is on the disk, in the order of the log. It runs on
    /// the writer's thread and must neither block nor throw; it does not run after a rollback.
    public void afterCommit(Runnable action) {
        afterCommit.add(action);
    }

    List<Runnable> actions() {
        return afterCommit;
    }
}
