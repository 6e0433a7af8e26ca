package dev.glovebox.sandbox.layer;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// Who works on what in a store, among the threads of this process and the processes of this host.
///
/// A lock of a file is the process's, and closing *any* descriptor of that file gives it up,
/// `fcntl_locking(2)`. So there is one of these for a directory in a process, a lock among threads
/// in front of each file's, and each file is open in one place only. The kernel gives up all locks
/// of a process that ends, however it ends.
public final class StoreLocks {
    private static final Map<Path, StoreLocks> BY_DIRECTORY = new ConcurrentHashMap<>();
    private static final int STRIPES = 64;

    private final Path directory;
    private final Map<String, ReentrantLock> threads = new ConcurrentHashMap<>();
    private final Set<String> used = ConcurrentHashMap.newKeySet();
    private @Nullable FileChannel users;
    private @Nullable FileLock shared;

    private StoreLocks(Path directory) {
        this.directory = directory;
    }

    /// Those of a store.
    ///
    /// @param directory its real path
    static StoreLocks of(Path directory) {
        return BY_DIRECTORY.computeIfAbsent(directory, StoreLocks::new);
    }

    /// A held lock.
    public record Held(ReentrantLock threads, FileChannel file) implements AutoCloseable {
        @Override
        public void close() throws IOException {
            try {
                file.close();
            } finally {
                threads.unlock();
            }
        }
    }

    /// Waits until nobody else works on this. Blocks: not for virtual threads.
    ///
    /// @param kind a lock of one kind may be waited for while one of an earlier kind is held
    Held hold(String kind, String name) throws IOException, InterruptedException {
        String stripe = stripe(kind, name);
        ReentrantLock lock = threads.computeIfAbsent(stripe, _ -> new ReentrantLock());
        lock.lockInterruptibly();
        @Nullable FileChannel file = null;
        try {
            file = open(stripe);
            file.lock();
            return new Held(lock, file);
        } catch (IOException | RuntimeException e) {
            release(lock, file);
            throw e;
        }
    }

    /// The lock, if nobody has it.
    Optional<Held> tryHold(String kind, String name) throws IOException {
        String stripe = stripe(kind, name);
        ReentrantLock lock = threads.computeIfAbsent(stripe, _ -> new ReentrantLock());
        if (lock.isHeldByCurrentThread() || !lock.tryLock()) {
            return Optional.empty();
        }
        @Nullable FileChannel file = null;
        try {
            file = open(stripe);
            if (file.tryLock() != null) {
                return Optional.of(new Held(lock, file));
            }
        } catch (IOException | RuntimeException e) {
            release(lock, file);
            throw e;
        }
        release(lock, file);
        return Optional.empty();
    }

    /// Says that this process uses the store, until it ends.
    synchronized void use() throws IOException {
        if (users == null) {
            users = open("users");
        }
        if (shared == null) {
            shared = users.lock(0, 1, true);
        }
    }

    /// Says that sandboxes of this process may have been made of this layer.
    void using(String layer) {
        used.add(layer);
    }

    /// Layers of which sandboxes of this process may have been made.
    Set<String> used() {
        return Set.copyOf(used);
    }

    /// Whether no other process uses the store. Then none begins to before `work` has ended.
    synchronized boolean alone(Runnable work) throws IOException {
        use();
        FileChannel file = users;
        FileLock mine = shared;
        if (file == null || mine == null) {
            return false;
        }
        // One collector at a time, so that nothing happens between giving up and taking again.
        try (FileLock collecting = file.tryLock(1, 1, false)) {
            if (collecting == null) {
                return false;
            }
            mine.release();
            shared = null;
            try (FileLock only = file.tryLock(0, 1, false)) {
                if (only == null) {
                    return false;
                }
                work.run();
                return true;
            } finally {
                use();
            }
        }
    }

    private FileChannel open(String name) throws IOException {
        return FileChannel.open(
                directory.resolve("locks").resolve(name),
                StandardOpenOption.CREATE,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE);
    }

    private static void release(ReentrantLock lock, @Nullable FileChannel file) throws IOException {
        try {
            if (file != null) {
                file.close();
            }
        } finally {
            lock.unlock();
        }
    }

    private static String stripe(String kind, String name) {
        return kind + "-" + Math.floorMod(name.hashCode(), STRIPES);
    }
}
