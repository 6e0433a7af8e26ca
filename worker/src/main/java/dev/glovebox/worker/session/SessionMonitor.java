package dev.glovebox.worker.session;

import dev.glovebox.protocol.event.Event;
import dev.glovebox.protocol.event.SessionEvent;
import dev.glovebox.worker.shell.Cancellation;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Where the threads of one session meet: the reader of the stream brings events, the session's own
/// thread waits for something to do, the lease or the worker says that it is over.
///
/// The lock guards the book, the clock and the end; nothing is called out while it is held, so a
/// cancellation happens after it.
final class SessionMonitor {
    private static final Duration CHECK = Duration.ofSeconds(30);
    private static final int REMEMBERED = 4096;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    // Guarded by the lock, from here on.
    private final CallBook book;
    private final IdleClock clock;
    private final Set<String> recent = new LinkedHashSet<>();
    private @Nullable SessionEnd end;
    private boolean draining;

    SessionMonitor(Predicate<String> ours, Duration maxIdle) {
        this.book = new CallBook(ours);
        this.clock = new IdleClock(maxIdle);
    }

    /// What the session's thread is to do next.
    sealed interface Step {
        /// A task about a call.
        record Do(CallBook.Task task) implements Step {}

        /// Half a minute has passed: look whether the stream still lives.
        record Check() implements Step {}

        /// The session is over for this worker.
        record Leave(SessionEnd end) implements Step {}
    }

    /// An event from the stream; one that was here lately is dropped.
    void event(Event event) {
        Optional<Cancellation> due =
                locked(() -> {
                    if (!isNew(event)) {
                        return Optional.empty();
                    }
                    boolean wasBusy = book.busy();
                    Optional<Cancellation> cancel = book.note(event);
                    long now = System.nanoTime();
                    clock.note(event, now);
                    if (wasBusy && !book.busy()) {
                        clock.unblocked(now);
                    }
                    return cancel;
                });
        due.ifPresent(Cancellation::cancel);
        if (event instanceof SessionEvent.Terminated || event instanceof SessionEvent.Deleted) {
            end(SessionEnd.TERMINATED);
        }
    }

    /// The whole history, read after the stream was opened.
    void history(History history, Iterable<String> ids) {
        List<Cancellation> due =
                locked(() -> {
                    ids.forEach(this::remember);
                    List<Cancellation> cancel = book.reconcile(history);
                    boolean owed = book.foreignCallOpen() || history.customCallOpen();
                    clock.historyRead(history.turnOver() && !owed, System.nanoTime());
                    return cancel;
                });
        due.forEach(Cancellation::cancel);
    }

    /// The history could not be read; the stream goes on alone.
    void historyFailed() {
        locked(() -> {
            clock.historyFailed();
            return true;
        });
    }

    /// Ends the session; the first reason counts. A running call is cancelled.
    void end(SessionEnd reason) {
        Optional<Cancellation> due =
                locked(() -> {
                    end = end == null ? reason : end;
                    return book.running();
                });
        due.ifPresent(Cancellation::cancel);
    }

    /// Lets the running call end and its result be posted, and nothing after that.
    void drain() {
        locked(() -> draining = true);
    }

    /// Why it is over, if it is.
    Optional<SessionEnd> ended() {
        return locked(() -> Optional.ofNullable(end));
    }

    /// Whether a call needs no answer from here any more.
    boolean unwanted(ToolCall call) {
        return locked(() -> book.settled(call.id()) || book.dead(call));
    }

    /// The last task is over for good.
    void done() {
        locked(() -> {
            book.done();
            unblockedUnlessBusy();
            return true;
        });
    }

    /// The last task's result did not get through.
    void notPosted(CallBook.Task.Post post) {
        locked(() -> {
            book.notPosted(post);
            unblockedUnlessBusy();
            return true;
        });
    }

    /// Waits for something to do.
    Step next() throws InterruptedException {
        long checkAt = System.nanoTime() + CHECK.toNanos();
        lock.lock();
        try {
            while (true) {
                if (end == null && draining) {
                    end = SessionEnd.DRAINED;
                }
                if (end != null) {
                    return new Step.Leave(end);
                }
                Optional<CallBook.Task> task = book.take();
                if (task.isPresent()) {
                    return new Step.Do(task.get());
                }
                long now = System.nanoTime();
                OptionalLong left = clock.left(book.busy(), now);
                if (left.isPresent() && left.getAsLong() <= 0) {
                    end = SessionEnd.IDLE;
                    changed.signalAll();
                    continue;
                }
                if (checkAt - now <= 0) {
                    return new Step.Check();
                }
                changed.awaitNanos(Math.min(checkAt - now, left.orElse(Long.MAX_VALUE)));
            }
        } finally {
            lock.unlock();
        }
    }

    /// Waits that long, or until the session is over.
    void pause(Duration time) throws InterruptedException {
        long deadline = System.nanoTime() + time.toNanos();
        lock.lock();
        try {
            while (end == null && deadline - System.nanoTime() > 0) {
                changed.await(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
            }
        } finally {
            lock.unlock();
        }
    }

    private boolean isNew(Event event) {
        String id = event.id();
        return id == null || remember(id);
    }

    private boolean remember(String id) {
        boolean added = recent.add(id);
        if (recent.size() > REMEMBERED) {
            recent.remove(recent.iterator().next());
        }
        return added;
    }

    private void unblockedUnlessBusy() {
        if (!book.busy()) {
            clock.unblocked(System.nanoTime());
        }
    }

    private <T> T locked(Supplier<T> change) {
        lock.lock();
        try {
            T result = change.get();
            changed.signalAll();
            return result;
        } finally {
            lock.unlock();
        }
    }
}
