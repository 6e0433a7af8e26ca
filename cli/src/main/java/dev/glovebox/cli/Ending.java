package dev.glovebox.cli;

import java.util.concurrent.CountDownLatch;

/// What happens between SIGTERM or SIGINT and the end of this process: something is asked to end,
/// and the process waits for it.
///
/// The Java runtime ends as soon as its shutdown hooks return, so the hook of this class returns
/// only after [#close] has said that all is done; then it ends the process with code 0, since being
/// told to end and doing so in order is no failure. It knows no deadline of its own: what it asks
/// to end has one.
final class Ending implements AutoCloseable {
    private final CountDownLatch asked = new CountDownLatch(1);
    private final CountDownLatch done = new CountDownLatch(1);

    private volatile Runnable request = () -> {};

    private final int code;

    private Ending(int code) {
        this.code = code;
    }

    /// Begins to listen for the end. Open it first, so that it is closed last.
    ///
    /// @param code exit code after an orderly end: 0 for a service, to which being told to end is
    ///   no failure
    static Ending listen(int code) {
        Ending ending = new Ending(code);
        Runtime.getRuntime()
                .addShutdownHook(Thread.ofPlatform().name("ending").unstarted(ending::run));
        return ending;
    }

    /// What to ask to end when this process is told to.
    void ask(Runnable drain) {
        request = drain;
        if (asked.getCount() == 0) {
            drain.run();
        }
    }

    /// Waits until this process is told to end.
    void await() {
        await(asked);
    }

    @Override
    public void close() {
        done.countDown();
    }

    private void run() {
        if (done.getCount() == 0) {
            return;
        }
        asked.countDown();
        request.run();
        await(done);
        Runtime.getRuntime().halt(code);
    }

    private static void await(CountDownLatch latch) {
        boolean interrupted = false;
        while (true) {
            try {
                latch.await();
                break;
            } catch (InterruptedException _) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
