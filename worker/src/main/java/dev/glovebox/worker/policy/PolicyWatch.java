package dev.glovebox.worker.policy;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// Tells when policy files have changed, however that was done: written in place, renamed over,
/// reached by another link, put into a new directory, deleted.
///
/// The directories that the files are in are watched (inotify(7)), those of the files that links
/// lead to as well. Besides, the files are read anew every few seconds, since nobody tells of what
/// happens on other machines that share a file system; where nothing can be watched, twice a
/// second. What is told is what the files hold once they have come to rest: somebody who writes in
/// pieces must not be taken at half his word.
final class PolicyWatch implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(PolicyWatch.class.getName());
    private static final long LOOK_MILLIS = 5_000;
    private static final long LOOK_UNWATCHED_MILLIS = 500;
    private static final long REST_MILLIS = 100;
    private static final int MOST_RESTS = 50;

    private final PolicyFiles files;
    private final Consumer<Map<Path, PolicyFiles.Content>> changed;
    private final Optional<WatchService> watcher;
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Thread thread;
    private Map<Path, PolicyFiles.Content> last;

    /// @param last what is known already
    /// @param changed is told what the files hold, on the watch's thread
    PolicyWatch(
            PolicyFiles files,
            Map<Path, PolicyFiles.Content> last,
            Consumer<Map<Path, PolicyFiles.Content>> changed) {
        this.files = files;
        this.last = last;
        this.changed = changed;
        this.watcher = watcher();
        this.thread = Thread.ofVirtual().name("policy-watch").unstarted(this::watch);
        register();
        thread.start();
    }

    private static Optional<WatchService> watcher() {
        try {
            return Optional.of(FileSystems.getDefault().newWatchService());
        } catch (IOException e) {
            LOG.log(Level.WARNING, "policy files are read twice a second: " + e.getMessage());
            return Optional.empty();
        }
    }

    private void watch() {
        try {
            while (closed.getCount() > 0) {
                quiet(watcher.isPresent() ? LOOK_MILLIS : LOOK_UNWATCHED_MILLIS);
                look();
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        } catch (ClosedWatchServiceException _) {
            // by close()
        }
    }

    /// Waits until something happens, which is then seen by looking.
    ///
    /// @return whether nothing has, as far as anybody tells, for the whole time
    private boolean quiet(long millis) throws InterruptedException {
        if (watcher.isEmpty()) {
            return !closed.await(millis, TimeUnit.MILLISECONDS);
        }
        WatchKey key = watcher.get().poll(millis, TimeUnit.MILLISECONDS);
        boolean quiet = key == null;
        while (key != null) {
            key.pollEvents();
            key.reset();
            key = watcher.get().poll();
        }
        return quiet;
    }

    private void look() throws InterruptedException {
        Map<Path, PolicyFiles.Content> now = contents();
        for (int i = 0; !now.equals(last); i++) {
            if (i == MOST_RESTS) {
                LOG.log(Level.WARNING, "the policy files do not come to rest, and are not taken");
                return;
            }
            boolean quiet = quiet(REST_MILLIS);
            Map<Path, PolicyFiles.Content> again = contents();
            if (quiet && again.equals(now)) {
                last = now;
                tell(now);
                return;
            }
            now = again;
        }
    }

    /// What happens after a directory is watched is told, and what happened before is read.
    private Map<Path, PolicyFiles.Content> contents() {
        register();
        return files.contents();
    }

    private void tell(Map<Path, PolicyFiles.Content> contents) {
        try {
            changed.accept(contents);
        } catch (RuntimeException e) {
            LOG.log(Level.ERROR, "the changed policy files are not in use", e);
        }
    }

    /// Watches the directories as they are now; to watch one twice is to watch it once.
    private void register() {
        watcher.ifPresent(service -> {
            for (Path directory : directories()) {
                try {
                    directory.register(
                            service,
                            StandardWatchEventKinds.ENTRY_CREATE,
                            StandardWatchEventKinds.ENTRY_MODIFY,
                            StandardWatchEventKinds.ENTRY_DELETE);
                } catch (IOException e) {
                    LOG.log(Level.DEBUG, "{0} cannot be watched: {1}", directory, e.getMessage());
                }
            }
        });
    }

    private Set<Path> directories() {
        Set<Path> directories = new HashSet<>();
        for (Path file : files.paths().values()) {
            add(directories, file.toAbsolutePath());
            try {
                add(directories, file.toRealPath());
            } catch (IOException e) {
                LOG.log(Level.DEBUG, "{0} leads nowhere: {1}", file, e.getMessage());
            }
        }
        return directories;
    }

    private static void add(Set<Path> directories, Path file) {
        Path directory = file.getParent();
        if (directory != null) {
            directories.add(directory);
        }
    }

    @Override
    public void close() {
        closed.countDown();
        watcher.ifPresent(service -> {
            try {
                service.close();
            } catch (IOException e) {
                LOG.log(Level.DEBUG, "closing", e);
            }
        });
        try {
            thread.join();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
