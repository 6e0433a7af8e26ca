package dev.glovebox.sandbox.guest;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/// A process inside a sandbox; thread-safe.
///
/// It is over when it has exited, whoever may still hold its pipes. Its output can be read to the
/// end after that, and ends with what was in the pipes at the exit. One whose output is not read to
/// the end should be closed: the inside has 64 places for processes, and keeps such a one.
public final class GuestProcess implements AutoCloseable {
    private static final int SIGKILL = 9;

    private final Connection connection;
    private final int id;
    private final String program;
    private final ProcessInput stdin;
    private final ProcessOutput stdout;
    private final ProcessOutput stderr;
    private final AtomicInteger endsLeft;
    private final CompletableFuture<Integer> started = new CompletableFuture<>();
    private final CompletableFuture<Exit> exited = new CompletableFuture<>();

    GuestProcess(Connection connection, int id, ProcessRequest request, int streamBytes) {
        boolean single = request.mergeStderr() || request.pty().isPresent();
        this.connection = connection;
        this.id = id;
        this.program = request.argv().getFirst();
        this.stdin = new ProcessInput(connection, id);
        this.stdout = output(1, streamBytes);
        this.stderr = output(2, streamBytes);
        this.endsLeft = new AtomicInteger(single ? 2 : 3);
        if (single) {
            stderr.end(true);
        }
    }

    /// Its pid in the sandbox.
    public int pid() {
        return started.join();
    }

    /// Its standard input; closing it ends the input.
    public ProcessInput stdin() {
        return stdin;
    }

    /// Its standard output, or all output if merged or of a terminal.
    public ProcessOutput stdout() {
        return stdout;
    }

    /// Its standard error; at its end from the start if merged or of a terminal.
    public ProcessOutput stderr() {
        return stderr;
    }

    /// Sends a signal to its whole process group; nothing happens if it has exited.
    ///
    /// @param signal number of the signal, 1 to 64
    /// @throws GuestException if the sandbox is gone
    public void signal(int signal) {
        if (signal < 1 || signal > 64) {
            throw new IllegalArgumentException("signal out of range: " + signal);
        }
        connection.send(new Frame(Wire.SIGNAL, id, program).number(signal));
    }

    /// Tells its terminal a new size; nothing happens without a terminal.
    ///
    /// @throws GuestException if the sandbox is gone
    public void resize(WindowSize size) {
        connection.send(new Frame(Wire.RESIZE, id, program).size(size));
    }

    /// Waits for its exit, not for the end of its output.
    ///
    /// @param timeout by [Guest#clock]: while the sandbox is paused it does not run
    /// @throws TimeoutException if it has not exited in time
    /// @throws GuestException if the sandbox is gone, or this thread is interrupted
    public Exit waitFor(Duration timeout) throws TimeoutException {
        try {
            return connection.clock().get(exited, timeout);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new GuestException("EINTR", "wait for", program, e);
        } catch (ExecutionException e) {
            throw new GuestException("ECONNRESET", "wait for", program, e);
        }
    }

    /// How it ended, empty while it runs or if the sandbox went first.
    public Optional<Exit> exit() {
        return exited.isDone() && !exited.isCompletedExceptionally()
                ? Optional.of(exited.join())
                : Optional.empty();
    }

    /// Kills its process group if it runs, and drops its output. What it started in groups of their
    /// own stays.
    @Override
    public void close() {
        if (!exited.isDone()) {
            connection.sendIfOpen(new Frame(Wire.SIGNAL, id, program).number(SIGKILL));
        }
        stdin.close();
        stdout.close();
        stderr.close();
    }

    /// What the connection calls.
    Listener listener() {
        return new Events();
    }

    /// Calls back when it has exited, or the sandbox has gone; at once if that is so already.
    void onExit(Runnable then) {
        CompletableFuture<Exit> _ = exited.whenComplete((_, _) -> then.run());
    }

    /// Waits until it runs or has failed to.
    void awaitStart(Duration timeout) {
        Reply.await(started, timeout, connection.clock(), "start", program);
    }

    private ProcessOutput output(int stream, int capacity) {
        return new ProcessOutput(
                capacity,
                connection.clock(),
                granted ->
                        connection.sendIfOpen(
                                new Frame(Wire.CREDIT, id, "").number(stream).amount(granted)),
                () -> connection.sendIfOpen(new Frame(Wire.CLOSE, id, "").number(stream)));
    }

    private final class Events implements Listener {
        @Override
        public void frame(int type, ByteBuffer payload) {
            switch (type) {
                case Wire.RESULT -> started.complete(payload.getInt());
                case Wire.ERROR -> refused(Reply.error(payload, "start", program));
                case Wire.STDOUT -> stdout.accept(payload);
                case Wire.STDERR -> stderr.accept(payload);
                case Wire.CLOSED -> closed(payload.get());
                case Wire.GRANT -> stdin.granted(payload.getInt());
                case Wire.EXIT -> exit(payload);
                default -> throw new GuestException("EPROTO", "frame for", program);
            }
        }

        @Override
        public void broken(GuestException reason) {
            started.completeExceptionally(reason);
            exited.completeExceptionally(reason);
            stdin.gone();
            stdout.broken(reason);
            stderr.broken(reason);
        }

        private void refused(GuestException reason) {
            connection.detach(id);
            broken(reason);
        }

        private void closed(int stream) {
            if (stream == 0) {
                stdin.gone();
                return;
            }
            (stream == 1 ? stdout : stderr).end(false);
            oneEndLess();
        }

        private void exit(ByteBuffer payload) {
            int code = payload.getInt();
            int signal = payload.get();
            Exit.Usage usage =
                    new Exit.Usage(
                            micros(payload.getLong()),
                            micros(payload.getLong()),
                            payload.getLong(),
                            payload.getLong(),
                            payload.getLong());
            stdin.gone();
            exited.complete(new Exit(code, signal, usage));
            oneEndLess();
        }

        private void oneEndLess() {
            if (endsLeft.decrementAndGet() == 0) {
                connection.detach(id);
            }
        }

        private static Duration micros(long micros) {
            return Duration.ofNanos(Math.max(0, micros) * 1000);
        }
    }
}
