package dev.glovebox.egress.audit;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/// Writes the audit records of one worker.
///
/// One thread writes; whatever has come while it was busy goes to disk together (group commit), so
/// a burst costs few `fdatasync(2)` and a lone record costs one. The queue is bounded: a record
/// that finds it full fails, as one that the disk refuses does, and later a record says how many
/// there were.
///
/// Thread-safe. One process at a time holds the directory.
public final class AuditLog implements Audit, AutoCloseable {
    private static final System.Logger LOG = System.getLogger(AuditLog.class.getName());
    private static final int MOST_WAITING = 8192;
    private static final int MOST_TOGETHER = 1024;
    private static final long IDLE_SECONDS = 30;
    private static final long CLOSE_MILLIS = 10_000;

    private record Waiting(AuditEvent event, CompletableFuture<Long> written) {}

    private final AuditConfig config;
    private final FileChannel lock;
    private final AuditWriter writer;
    private final BlockingQueue<Waiting> queue = new LinkedBlockingQueue<>(MOST_WAITING);
    private final AtomicLong missed = new AtomicLong();
    private final Waiting end =
            new Waiting(new AuditEvent.Missed(0, "closed"), new CompletableFuture<>());
    private final Thread thread;
    private volatile boolean closed;
    private boolean failing;

    private AuditLog(AuditConfig config, FileChannel lock, AuditWriter writer) {
        this.config = config;
        this.lock = lock;
        this.writer = writer;
        this.thread = Thread.ofPlatform().name("egress-audit").daemon().unstarted(this::run);
    }

    /// Takes over the directory, repairs what a crash tore, and begins to take records.
    ///
    /// @throws AuditException if the directory cannot be used, is in use, or its last file is not
    ///   as it was written
    public static AuditLog open(AuditConfig config) {
        return open(config, InstantSource.system());
    }

    static AuditLog open(AuditConfig config, InstantSource clock) {
        try {
            Files.createDirectories(config.directory());
            Files.setPosixFilePermissions(
                    config.directory(), PosixFilePermissions.fromString("rwx------"));
            FileChannel lock =
                    FileChannel.open(
                            config.directory().resolve("lock"),
                            StandardOpenOption.CREATE,
                            StandardOpenOption.WRITE);
            try {
                hold(lock, config.directory());
                AuditLog log = new AuditLog(config, lock, AuditWriter.open(config, clock));
                log.thread.start();
                return log;
            } catch (IOException | RuntimeException e) {
                lock.close();
                throw e;
            }
        } catch (IOException e) {
            throw new AuditException(
                    "audit directory " + config.directory() + " cannot be used", e);
        }
    }

    private static void hold(FileChannel lock, Path directory) throws IOException {
        try {
            FileLock held = lock.tryLock();
            if (held != null) {
                return;
            }
        } catch (OverlappingFileLockException e) {
            throw inUse(directory);
        }
        throw inUse(directory);
    }

    private static AuditException inUse(Path directory) {
        return new AuditException("audit directory " + directory + " is in use by a worker");
    }

    @Override
    public CompletableFuture<Long> record(AuditEvent event) {
        CompletableFuture<Long> written = new CompletableFuture<>();
        if (closed || !queue.offer(new Waiting(event, written))) {
            missed.incrementAndGet();
            written.completeExceptionally(
                    new AuditException("the audit log takes no more records now"));
        }
        return written;
    }

    @Override
    public boolean passUnrecorded() {
        return config.passUnrecorded();
    }

    private void run() {
        List<Waiting> batch = new ArrayList<>();
        boolean last = false;
        while (!last) {
            try {
                Waiting first = queue.poll(IDLE_SECONDS, TimeUnit.SECONDS);
                if (first != null) {
                    batch.add(first);
                    queue.drainTo(batch, MOST_TOGETHER - 1);
                }
                last = batch.remove(end);
                write(batch);
            } catch (InterruptedException e) {
                last = true;
            }
            batch.clear();
        }
    }

    private void write(List<Waiting> batch) {
        List<AuditEvent> events = new ArrayList<>(batch.size() + 1);
        long lost = missed.get();
        if (lost > 0) {
            events.add(new AuditEvent.Missed(lost, "no space or no time to write them"));
        }
        batch.forEach(waiting -> events.add(waiting.event()));
        try {
            long number = writer.append(events);
            missed.addAndGet(-lost);
            if (failing) {
                failing = false;
                LOG.log(Level.INFO, "audit records are written again, {0} were not", lost);
            }
            number += lost > 0 ? 1 : 0;
            for (Waiting waiting : batch) {
                waiting.written().complete(number++);
            }
        } catch (IOException | RuntimeException e) {
            missed.addAndGet(batch.size());
            if (!failing) {
                failing = true;
                LOG.log(
                        Level.ERROR,
                        config.passUnrecorded()
                                ? "audit records cannot be written; what uses no credential passes"
                                : "audit records cannot be written; nothing passes",
                        e);
            }
            AuditException fault = new AuditException("the audit record cannot be written", e);
            batch.forEach(waiting -> waiting.written().completeExceptionally(fault));
        }
    }

    /// Writes what has been taken and gives the directory back. Idempotent.
    @Override
    public void close() {
        boolean first = !closed;
        closed = true;
        try {
            if (first && queue.offer(end, CLOSE_MILLIS, TimeUnit.MILLISECONDS)) {
                thread.join(CLOSE_MILLIS);
            }
            writer.close();
            lock.close();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            LOG.log(Level.WARNING, "the audit log was not closed well", e);
        }
    }
}
