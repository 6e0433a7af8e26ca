package dev.glovebox.linux;

import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/// A throw-away platform thread for calls that change the thread itself.
///
/// `unshare(2)`, `setns(2)`, `prctl(2)` and `setfsuid(2)` change the calling kernel thread. Made on
/// a virtual thread they change its *carrier*, and every virtual thread that later runs on that
/// carrier finds itself in a foreign namespace. So such a call runs here and the thread ends with
/// it; it is never handed to anyone else. Blocking downcalls run here too.
public final class KernelThread {
    private KernelThread() {}

    /// Runs the task on a fresh platform thread and waits for its result.
    ///
    /// @param name what the thread serves, for thread dumps
    /// @return what the task returned
    /// @throws LinuxException as the task threw it; any other exception arrives as an
    ///   [IllegalStateException] with its cause
    public static <T> T call(String name, Callable<T> task) {
        FutureTask<T> future = new FutureTask<>(task);
        Thread thread = Thread.ofPlatform().name("kernel-" + name).daemon(true).start(future);
        join(thread);
        try {
            return future.get();
        } catch (InterruptedException e) {
            throw new IllegalStateException("kernel thread " + name + " ended without result", e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw new IllegalStateException("kernel thread " + name + " failed", e.getCause());
        }
    }

    /// Waits for the end of the thread, not for its result: who completes a future wakes the
    /// waiter, and waking a virtual thread may start a new carrier as a child of the waking thread,
    /// with all that the thread changed about itself. A thread that ends wakes its joiners through
    /// the JDK's own unblocker thread instead.
    private static void join(Thread thread) {
        boolean interrupted = false;
        while (true) {
            try {
                thread.join();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
                thread.interrupt();
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
