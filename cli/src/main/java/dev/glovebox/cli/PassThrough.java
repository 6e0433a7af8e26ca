package dev.glovebox.cli;

import dev.glovebox.sandbox.Sandbox;
import dev.glovebox.sandbox.guest.Exit;
import dev.glovebox.sandbox.guest.GuestException;
import dev.glovebox.sandbox.guest.GuestProcess;
import dev.glovebox.sandbox.guest.ProcessRequest;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeoutException;

/// One command in a sandbox with this process's own input and output.
///
/// Three threads pump bytes; they are platform threads, since reading this process's input can
/// block for ever and would hold a virtual thread's carrier.
///
/// Where this process's output goes no further, the command's ends too, as at the end of a pipe:
/// its next write is answered with SIGPIPE. If it has ended well all the same, what was lost is in
/// the exit code: 141 for a reader that has gone, 74 for any other reason.
final class PassThrough {
    private static final System.Logger LOG = System.getLogger(PassThrough.class.getName());
    private static final int EXIT_TIMEOUT = 124;
    private static final int EXIT_SIGNAL = 128;
    private static final int EXIT_CANNOT_START = 127;
    private static final int KILLED = 9;
    private static final int PIPE = 13;
    private static final int EXIT_OUTPUT = 74; // EX_IOERR of sysexits.h
    private static final String READER_GONE = "Broken pipe";

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
            Pump out = Pump.start("output", process.stdout(), FileDescriptor.out);
            Pump err = Pump.start("error", process.stderr(), FileDescriptor.err);
            Exit exit = process.waitFor(timeout);
            int lost = Math.max(out.join(), err.join());
            if (sandbox.oomKills() > oomBefore) {
                sayOutOfMemory();
            }
            int code = exit.signal() == 0 ? exit.code() : EXIT_SIGNAL + exit.signal();
            return code == 0 ? lost : code;
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

    /// A command that has closed its input, or ended, is no fault.
    private static void feed(GuestProcess process) {
        byte[] chunk = new byte[16 * 1024];
        try (OutputStream stdin = process.stdin()) {
            int count = input(chunk);
            while (count >= 0) {
                stdin.write(chunk, 0, count);
                stdin.flush();
                count = input(chunk);
            }
        } catch (IOException | GuestException e) {
            LOG.log(Level.DEBUG, "the command takes no more input", e);
        }
    }

    /// Input that cannot be read ends, and that is told.
    private static int input(byte[] chunk) {
        try {
            return System.in.read(chunk);
        } catch (IOException e) {
            System.err.println("glovebox: cannot read standard input: " + e.getMessage());
            return -1;
        }
    }

    /// One stream of the command's, on its way to one of this process's.
    private static final class Pump {
        private final String name;
        private final InputStream from;
        private final OutputStream to;
        private final Thread thread;
        private volatile int lost;

        private Pump(String name, InputStream from, FileDescriptor to) {
            this.name = name;
            this.from = from;
            this.to = new FileOutputStream(to);
            this.thread = Thread.ofPlatform().daemon(true).unstarted(this::run);
        }

        static Pump start(String name, InputStream from, FileDescriptor to) {
            Pump pump = new Pump(name, from, to);
            pump.thread.start();
            return pump;
        }

        /// Waits for the end of the stream.
        ///
        /// @return exit code for what did not arrive, 0 if all did
        int join() {
            try {
                thread.join();
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
            return lost;
        }

        private void run() {
            byte[] chunk = new byte[64 * 1024];
            try (from) {
                int count = from.read(chunk);
                while (count >= 0 && written(chunk, count)) {
                    count = from.read(chunk);
                }
            } catch (IOException | GuestException e) {
                lost = EXIT_OUTPUT;
                System.err.println("glovebox: standard " + name + " was cut: " + e.getMessage());
            }
        }

        private boolean written(byte[] chunk, int count) {
            try {
                to.write(chunk, 0, count);
                return true;
            } catch (IOException e) {
                if (READER_GONE.equals(e.getMessage())) {
                    lost = EXIT_SIGNAL + PIPE;
                } else {
                    lost = EXIT_OUTPUT;
                    System.err.println(
                            "glovebox: cannot write standard " + name + ": " + e.getMessage());
                }
                return false;
            }
        }
    }
}
