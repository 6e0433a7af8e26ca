package dev.glovebox.worker.operator;

import dev.glovebox.sandbox.guest.Exit;
import dev.glovebox.sandbox.guest.GuestException;
import dev.glovebox.sandbox.guest.GuestProcess;
import dev.glovebox.sandbox.guest.ProcessRequest;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/// A command of an operator in a sandbox, and the frames between the two.
///
/// Five virtual threads: the caller's reads frames and never waits for the process, since the
/// client may send only what it was granted; one feeds the process; two carry its output, as fast
/// as the client takes it; one waits for its exit. When the client goes, the process gets `SIGHUP`,
/// as from a terminal whose line was cut, and a little later `SIGKILL`. When the client detaches,
/// the process goes on and its output is dropped.
final class OperatorProcess {
    private static final int SIGHUP = 1;
    private static final int CHUNK = 32 * 1024;
    private static final Duration LONGEST = Duration.ofDays(365);
    private static final Duration LAST_OUTPUT = Duration.ofSeconds(30);

    private final GuestProcess process;
    private final OperatorChannel channel;
    private final OperatorLimits limits;
    private final LinkedBlockingQueue<byte[]> input = new LinkedBlockingQueue<>();
    private final AtomicInteger credit = new AtomicInteger(Frame.INPUT_WINDOW);
    private volatile boolean detached;
    private volatile boolean over;

    private OperatorProcess(GuestProcess process, OperatorChannel channel, OperatorLimits limits) {
        this.process = process;
        this.channel = channel;
        this.limits = limits;
    }

    /// Starts the command with the sandbox's environment in `/workspace`.
    ///
    /// @throws OperatorException if it cannot be started
    static OperatorProcess start(
            LiveSandbox sandbox,
            Request.Exec request,
            OperatorChannel channel,
            OperatorLimits limits) {
        Map<String, String> environment = new TreeMap<>(sandbox.sandbox().environment());
        environment.put("TERM", request.terminal().map(Request.Screen::type).orElse("dumb"));
        ProcessRequest command =
                new ProcessRequest(
                        request.argv(),
                        environment,
                        "/workspace",
                        request.terminal().map(Request.Screen::size),
                        false);
        try {
            return new OperatorProcess(sandbox.sandbox().guest().start(command), channel, limits);
        } catch (GuestException e) {
            String program = request.argv().getFirst();
            throw new OperatorException(
                    switch (e.code()) {
                        case "ENOENT" -> program + ": no such program in " + sandbox.name();
                        case "EACCES" -> program + ": may not be run in " + sandbox.name();
                        case "EBUSY" ->
                                sandbox.name()
                                        + " is paused; first: glovebox sandbox resume "
                                        + sandbox.name();
                        case "ECONNRESET" -> sandbox.name() + " has ended";
                        default -> program + ": cannot be started: " + e.code();
                    },
                    e);
        }
    }

    /// Its process id in the sandbox.
    int pid() {
        return process.pid();
    }

    /// Carries frames until the process has ended, whoever may have gone before.
    ///
    /// @return what became of it, in a few words
    String follow() {
        Thread feeder = Thread.ofVirtual().name("operator-input").start(this::feed);
        Thread output = pump(process.stdout(), Frame.Output::new);
        Thread errors = pump(process.stderr(), Frame.Errors::new);
        Thread reader = Thread.ofVirtual().name("operator-frames").start(this::readFrames);
        try {
            Exit exit = process.waitFor(LONGEST);
            if (output.join(LAST_OUTPUT) && errors.join(LAST_OUTPUT)) {
                send(new Frame.Exit(exit.code(), exit.signal()));
            }
            return exit.signal() == 0 ? "exit " + exit.code() : "signal " + exit.signal();
        } catch (GuestException | TimeoutException _) {
            send(new Frame.Lost("the sandbox has ended"));
            return "sandbox ended";
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return "interrupted";
        } finally {
            over = true;
            process.close();
            closeChannel();
            feeder.interrupt();
            reader.interrupt();
        }
    }

    private void readFrames() {
        try {
            Optional<Frame> frame = channel.read();
            while (frame.isPresent() && !detached) {
                take(frame.get());
                frame = detached ? frame : channel.read();
            }
        } catch (IOException | OperatorException | GuestException _) {
            // gone, or talks nonsense: the line is cut either way
        }
        if (detached) {
            closeChannel();
        } else if (!over) {
            hangUp();
        }
    }

    private void take(Frame frame) {
        switch (frame) {
            case Frame.Input(ByteBuffer bytes) -> {
                if (credit.addAndGet(-bytes.remaining()) < 0) {
                    throw new OperatorException("input beyond what was granted");
                }
                if (bytes.hasRemaining()) {
                    input.add(Frame.bytes(bytes));
                }
            }
            case Frame.InputEnd() -> input.add(new byte[0]);
            case Frame.Resize(int rows, int columns) ->
                    process.resize(new Request.Screen("any", rows, columns).size());
            case Frame.Signal(int number) -> process.signal(number);
            case Frame.Detach() -> detached = true;
            case Frame.Output _, Frame.Errors _, Frame.Grant _, Frame.Exit _, Frame.Lost _ ->
                    throw new OperatorException("not a frame for a worker");
        }
    }

    private void hangUp() {
        try {
            process.signal(SIGHUP);
            process.waitFor(limits.hangUpTime());
        } catch (TimeoutException | GuestException _) {
            // killed below, or gone with its sandbox
        }
        process.close();
    }

    private void feed() {
        try {
            byte[] bytes = input.take();
            while (bytes.length > 0) {
                process.stdin().write(bytes);
                credit.addAndGet(bytes.length);
                send(new Frame.Grant(bytes.length));
                bytes = input.take();
            }
            process.stdin().close();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        } catch (IOException _) {
            // the process reads no more; what else comes stays unread, within what was granted
        }
    }

    private Thread pump(InputStream from, Function<ByteBuffer, Frame> frame) {
        return Thread.ofVirtual()
                .name("operator-output")
                .start(() -> {
                    byte[] chunk = new byte[CHUNK];
                    try {
                        int count = from.read(chunk);
                        while (count >= 0) {
                            if (!detached) {
                                send(frame.apply(ByteBuffer.wrap(chunk, 0, count)));
                            }
                            count = from.read(chunk);
                        }
                    } catch (IOException _) {
                        // the sandbox is gone, which the one who waits for the exit will say
                    }
                });
    }

    /// Sends a frame; that nobody takes it any more is noticed by who reads.
    private void send(Frame frame) {
        try {
            channel.write(frame);
        } catch (IOException _) {
            closeChannel();
        }
    }

    private void closeChannel() {
        try {
            channel.close();
        } catch (IOException _) {
            // closed all the same
        }
    }
}
