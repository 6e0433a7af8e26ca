package dev.glovebox.server.store;

import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jdbi.v3.core.Handle;

/// Where the control plane keeps everything it must not lose. The seam behind which another
/// database takes SQLite's place: callers write portable SQL against a JDBI handle.
///
/// The one promise: when [#write] returns, or a submitted future completes, the transaction is on
/// the disk, and only then have its [Transaction#afterCommit] actions run. Nobody can see on a
/// stream what a power cut could still take back.
public interface Store extends AutoCloseable {

    /// Runs one transaction and waits until it is durable.
    ///
    /// @throws RuntimeException what the body threw; nothing it wrote is kept
    <T> T write(Function<Transaction, T> body);

    /// Queues one transaction and returns. Submitted transactions run in the order in which one
    /// thread submitted them, before any later [#write] of that thread.
    <T> CompletableFuture<T> submit(Function<Transaction, T> body);

    /// Runs queries on a consistent snapshot of what has been committed.
    <T> T read(Function<Handle, T> query);

    /// Finishes what is queued and closes the database.
    @Override
    void close();
}
