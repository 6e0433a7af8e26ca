package dev.glovebox.server.store;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.nio.file.Path;
import java.time.Clock;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Function;
import org.flywaydb.core.Flyway;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteDataSource;

/// The store of one machine: a SQLite file in WAL mode with `synchronous=FULL`, so that a commit
/// that was answered survives a power cut. One connection writes, see [GroupCommit]; readers have a
/// pool of their own and never wait for the writer.
public final class SqliteStore implements Store {
    /// Connections that read. Queries are short and mostly served from memory.
    static final int READERS = 4;

    private static final int BUSY_MILLIS = 5_000;

    private final HikariDataSource readers;
    private final Jdbi reading;
    private final GroupCommit writer;

    private SqliteStore(HikariDataSource readers, GroupCommit writer) {
        this.readers = readers;
        this.reading = Jdbi.create(readers);
        this.writer = writer;
    }

    /// Opens the file, making it or bringing its tables up to date first.
    public static SqliteStore open(Path file, Clock clock) {
        SQLiteDataSource source = source(file, false);
        Flyway.configure(SqliteStore.class.getClassLoader())
                .dataSource(source)
                .locations("classpath:glovebox-schema/sqlite")
                .loggers("slf4j")
                .load()
                .migrate();
        Ticks ticks = new Ticks(clock);
        Handle handle = Jdbi.create(source).open();
        handle.createQuery("SELECT max(processed_at) FROM events")
                .mapTo(String.class)
                .findOne()
                .ifPresent(ticks::startAfter);
        HikariConfig pool = new HikariConfig();
        pool.setDataSource(source(file, true));
        pool.setPoolName("store readers");
        pool.setMaximumPoolSize(READERS);
        pool.setReadOnly(true);
        return new SqliteStore(new HikariDataSource(pool), new GroupCommit(handle, ticks));
    }

    private static SQLiteDataSource source(Path file, boolean readOnly) {
        SQLiteConfig config = new SQLiteConfig();
        config.setJournalMode(SQLiteConfig.JournalMode.WAL);
        config.setSynchronous(SQLiteConfig.SynchronousMode.FULL);
        config.setTransactionMode(
                readOnly
                        ? SQLiteConfig.TransactionMode.DEFERRED
                        : SQLiteConfig.TransactionMode.IMMEDIATE);
        config.enforceForeignKeys(true);
        config.setBusyTimeout(BUSY_MILLIS);
        config.setReadOnly(readOnly);
        SQLiteDataSource source = new SQLiteDataSource(config);
        source.setUrl("jdbc:sqlite:" + file);
        return source;
    }

    @Override
    public <T> T write(Function<Transaction, T> body) {
        try {
            return submit(body).join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw e;
        }
    }

    @Override
    public <T> CompletableFuture<T> submit(Function<Transaction, T> body) {
        return writer.submit(body);
    }

    @Override
    public <T> T read(Function<Handle, T> query) {
        try (Handle handle = reading.open()) {
            return handle.inTransaction(query::apply);
        }
    }

    @Override
    public void close() {
        writer.close();
        readers.close();
    }
}
