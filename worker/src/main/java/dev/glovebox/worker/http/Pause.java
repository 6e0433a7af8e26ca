package dev.glovebox.worker.http;

import java.time.Duration;

/// How to wait; a test puts a fake here.
@FunctionalInterface
public interface Pause {
    /// Sleeps on this thread.
    Pause SLEEP = Thread::sleep;

    /// Waits that long.
    void pause(Duration time) throws InterruptedException;
}
