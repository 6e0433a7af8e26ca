package dev.glovebox.worker.shell;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/// Says to a running call, from another thread and at most once, that nobody wants it any more.
public final class Cancellation {
    private final Object lock = new Object();
    private final Set<Runnable> actions = new LinkedHashSet<>();
    private boolean cancelled;

    /// Cancels; what was registered runs on this thread, and must be quick.
    public void cancel() {
        List<Runnable> due;
        synchronized (lock) {
            if (cancelled) {
                return;
            }
            cancelled = true;
            due = List.copyOf(actions);
            actions.clear();
        }
        due.forEach(Runnable::run);
    }

    /// Whether the call was cancelled.
    public boolean cancelled() {
        synchronized (lock) {
            return cancelled;
        }
    }

    /// Runs the action at the cancellation, or now if that was before.
    ///
    /// @return closes to forget the action
    public Registration onCancel(Runnable action) {
        synchronized (lock) {
            if (!cancelled) {
                actions.add(action);
                return () -> forget(action);
            }
        }
        action.run();
        return () -> {};
    }

    private void forget(Runnable action) {
        synchronized (lock) {
            actions.remove(action);
        }
    }

    /// An action that waits for a cancellation.
    @FunctionalInterface
    public interface Registration extends AutoCloseable {
        @Override
        void close();
    }
}
