package dev.glovebox.cli;

import dev.glovebox.sandbox.Sandbox;
import dev.glovebox.sandbox.guest.Exit;
import dev.glovebox.sandbox.guest.GuestException;
import dev.glovebox.sandbox.guest.GuestProcess;
import dev.glovebox.sandbox.guest.ProcessRequest;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeoutException;

/// One command in a sandbox with this process's own input and output.
///
/// Three threads pump bytes; they are platform threads, since reading this process's input can
/// block for ever and would hold a virtual thread's carrier.
final class PassThrough {
    private static final int EXIT_TIMEOUT = 124;
    private static final int EXIT_SIGNAL = 128;
    private static final int EXIT_CANNOT_START = 127;
    private static final int KILLED = 9;

    private final Sandbox sandbox;
    private final Duration timeout;
    private final long memoryBytes;

    /// @param memoryBytes that the sandbox may use, to be named when it was not enough
    PassThrough(Sandbox sandbox, Duration timeout, long memoryBytes) {
        this.sandbox = sandbox;
        this.timeout = timeout;
        this.memoryBytes = memoryBytes;
    }

    /// Runs the command to its end or to the timeout.
    ///
    /// @return the exit code for the caller
    int run(List<String> command) {
        long oomBefore = sandbox.oomKills();
        try (GuestProcess process =
                sandbox.guest()
                        .start(ProcessRequest.of(command, sandbox.environment(), "/workspace"))) {
            Thread.ofPlatform().daemon(true).start(() -> feed(process));
            Thread out = pump(process.stdout(), System.out);
            Thread err = pump(process.stderr(), System.err);
            Exit exit = process.waitFor(timeout);
            join(out);
            join(err);
            if (sandbox.oomKills() > oomBefore) {
                sayOutOfMemory();
            }
            return exit.signal() == 0 ? exit.code() : EXIT_SIGNAL + exit.signal();
        } catch (TimeoutException _) {
            System.err.println(
                    "glovebox: the command was ended after "
                            + timeout.toSeconds()
                            + " s (--timeout)");
            return EXIT_TIMEOUT;
        } catch (GuestException e) {
            System.err.println("glovebox: " + command.getFirst() + ": " + e.getMessage());
            if (sandbox.oomKills() > oomBefore) {
                sayOutOfMemory();
                return EXIT_SIGNAL + KILLED;
            }
            return EXIT_CANNOT_START;
        }
    }

    private void sayOutOfMemory() {
        System.err.println(
                "glovebox: the command ran out of memory, the limit is "
                        + (memoryBytes >> 20)
                        + " MiB (--memory)");
    }

    private static void feed(GuestProcess process) {
        byte[] chunk = new byte[16 * 1024];
        try (OutputStream stdin = process.stdin()) {
            int count = System.in.read(chunk);
            while (count >= 0) {
                stdin.write(chunk, 0, count);
                stdin.flush();
                count = System.in.read(chunk);
            }
        } catch (IOException | GuestException e) {
            // the command has closed its input or ended: nobody is left to tell
            Thread.currentThread().interrupt();
        }
    }

    private static Thread pump(InputStream from, PrintStream to) {
        return Thread.ofPlatform()
                .daemon(true)
                .start(() -> {
                    byte[] chunk = new byte[64 * 1024];
                    try {
                        int count = from.read(chunk);
                        while (count >= 0 && !to.checkError()) {
                            to.write(chunk, 0, count);
                            to.flush();
                            count = from.read(chunk);
                        }
                        from.close();
                    } catch (IOException | GuestException e) {
                        to.flush();
                    }
                });
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
