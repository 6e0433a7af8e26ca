package dev.glovebox.worker.shell;

import dev.glovebox.sandbox.Sandbox;
import dev.glovebox.sandbox.guest.CallClock;
import dev.glovebox.sandbox.guest.GuestException;
import dev.glovebox.sandbox.guest.GuestProcess;
import dev.glovebox.sandbox.guest.ProcessRequest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// One `bash` inside the sandbox that lives from call to call, so that the working directory,
/// variables, functions and background jobs stay.
///
/// It reads commands from a pipe. Each is wrapped so that it has no input, that its errors go the
/// way of its output, and that a mark with its exit code follows it (see [CommandOutput]). The mark
/// holds a random number that the command cannot know, and its text is split where it is sent, so
/// neither an echo of the command nor a command that prints marks can end a call. One virtual
/// thread reads the output all the time: a background job may write between two calls without ever
/// being stopped, and what it writes there is dropped.
///
/// The wrapping is that of the official worker to the letter, because it shows: the line numbers in
/// bash's own messages count the lines that were sent. Only the printing of the mark differs; it is
/// kept out of the trace that `set -x` turns on.
public final class Shell implements AutoCloseable {
    private static final int CHUNK = 32 * 1024;

    /// From the end of its output until its exit is known, which comes with it, unless a shell has
    /// closed its output and lives.
    private static final Duration EXIT_DEADLINE = Duration.ofSeconds(5);

    private final Sandbox sandbox;
    private final CallClock clock;
    private final GuestProcess process;
    private final int outputBytes;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    // Guarded by the lock, from here on.
    private @Nullable CommandOutput output;
    private boolean complete;
    private boolean ended;

    private Shell(Sandbox sandbox, GuestProcess process, int outputBytes) {
        this.outputBytes = outputBytes;
        this.sandbox = sandbox;
        this.clock = sandbox.guest().clock();
        this.process = process;
    }

    /// Starts a shell in the session's working directory.
    ///
    /// @param outputBytes of each command that are kept, the last ones
    public static Shell start(Sandbox sandbox, ShellEnvironment environment, int outputBytes) {
        ProcessRequest request =
                new ProcessRequest(
                        List.of("/bin/bash", "--noprofile", "--norc"),
                        environment.shellVariables(),
                        environment.root(),
                        Optional.empty(),
                        true);
        GuestProcess process = sandbox.guest().start(request);
        Shell shell = new Shell(sandbox, process, outputBytes);
        Thread.ofVirtual().name("shell-output").start(shell::readOutput);
        return shell;
    }

    /// Runs one command. Unless it is [Outcome.Done], the shell is of no more use; and unless the
    /// shell has exited by itself, all that the command has started is killed, wherever that has
    /// gone.
    public Outcome run(String command, Duration timeout, Cancellation cancellation) {
        long begun = sandbox.moment();
        Outcome outcome = outcome(command, timeout, cancellation);
        boolean mayLeave =
                outcome instanceof Outcome.Done || (outcome instanceof Outcome.Ended && !killed());
        if (!mayLeave) {
            sandbox.end(process, begun);
        }
        return outcome;
    }

    private Outcome outcome(String command, Duration timeout, Cancellation cancellation) {
        String nonce = "__GBX_CMD_" + UUID.randomUUID() + "_DONE__";
        CommandOutput mine = new CommandOutput(nonce, outputBytes);
        long deadline = clock.nanoTime() + timeout.toNanos();
        lock.lock();
        try {
            output = mine;
            complete = false;
        } finally {
            lock.unlock();
        }
        try (var _ = cancellation.onCancel(this::wake)) {
            send(wrapped(command, nonce), timeout);
            return await(mine, deadline, cancellation);
        } catch (TimeoutException _) {
            return new Outcome.TimedOut();
        } catch (IOException _) {
            return new Outcome.Ended();
        }
    }

    /// Kills the shell and every process of its group.
    @Override
    public void close() {
        process.close();
    }

    /// How a command ended.
    public sealed interface Outcome {
        /// It ran to its end.
        record Done(String text, int exitCode) implements Outcome {}

        /// Its time was up.
        record TimedOut() implements Outcome {}

        /// The shell itself ended before the command did.
        record Ended() implements Outcome {}

        /// Nobody wants it any more.
        record Cancelled() implements Outcome {}
    }

    private static String wrapped(String command, String nonce) {
        String split = nonce.substring(0, 8) + "''" + nonce.substring(8);
        return "{ "
                + command
                + "\n} </dev/null 2>&1; { printf '\\n"
                + split
                + "%d\\n' $?; } 2>/dev/null\n";
    }

    private void send(String script, Duration timeout) throws IOException, TimeoutException {
        byte[] bytes = script.getBytes(StandardCharsets.UTF_8);
        process.stdin().write(bytes, 0, bytes.length, timeout);
    }

    private Outcome await(CommandOutput mine, long deadline, Cancellation cancellation) {
        lock.lock();
        try {
            while (!complete && !ended && !cancellation.cancelled()) {
                long left = deadline - clock.nanoTime();
                if (left <= 0) {
                    return new Outcome.TimedOut();
                }
                changed.awaitNanos(clock.patience(left));
            }
            output = null;
            if (complete) {
                return new Outcome.Done(mine.text(), mine.exitCode());
            }
            return ended ? new Outcome.Ended() : new Outcome.Cancelled();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return new Outcome.Cancelled();
        } finally {
            lock.unlock();
        }
    }

    /// Whether a signal has ended the shell, as the kernel does when the sandbox is out of memory;
    /// false if the sandbox went first, since nothing can be left in it.
    private boolean killed() {
        try {
            return process.waitFor(EXIT_DEADLINE).signal() != 0;
        } catch (TimeoutException | GuestException _) {
            return false;
        }
    }

    private void readOutput() {
        byte[] chunk = new byte[CHUNK];
        try {
            int count = process.stdout().read(chunk, 0, chunk.length);
            while (count >= 0) {
                take(chunk, count);
                count = process.stdout().read(chunk, 0, chunk.length);
            }
        } catch (IOException _) {
            // the sandbox is gone, which the next call inside will say in its own words
        } finally {
            lock.lock();
            try {
                ended = true;
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    private void take(byte[] chunk, int count) {
        lock.lock();
        try {
            if (output != null && !complete && output.append(chunk, count)) {
                complete = true;
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    private void wake() {
        lock.lock();
        try {
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
