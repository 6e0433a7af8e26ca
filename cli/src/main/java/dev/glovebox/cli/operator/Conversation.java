package dev.glovebox.cli.operator;

import dev.glovebox.worker.operator.Frame;
import dev.glovebox.worker.operator.OperatorChannel;
import dev.glovebox.worker.operator.OperatorException;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/// One command of a worker's sandbox with this process's own input and output.
///
/// The caller's thread carries output; a platform thread carries input, since reading it can block
/// for ever, and sends no more than the worker has granted.
final class Conversation {
    private static final int EXIT_SIGNAL = 128;
    private static final int SIGPIPE = 13;
    private static final int CHUNK = 16 * 1024;

    private final OperatorChannel channel;
    private final @Nullable DetachKeys keys;
    private final Semaphore credit = new Semaphore(Frame.INPUT_WINDOW);
    private volatile boolean detached;

    /// With pipes.
    Conversation(OperatorChannel channel) {
        this(channel, null);
    }

    /// @param keys looked for in the input, null = none
    Conversation(OperatorChannel channel, @Nullable DetachKeys keys) {
        this.channel = channel;
        this.keys = keys;
    }

    /// Whether the person has left and the command goes on.
    boolean detached() {
        return detached;
    }

    /// Carries bytes until the command has ended or the person has left.
    ///
    /// @return the exit code for the caller
    /// @throws OperatorException if the sandbox or the worker ends first
    int run() {
        Thread.ofPlatform().daemon(true).name("input").start(this::carryInput);
        OutputStream out = new FileOutputStream(FileDescriptor.out);
        OutputStream errors = new FileOutputStream(FileDescriptor.err);
        while (true) {
            switch (next()) {
                case Frame.Output(ByteBuffer bytes) -> {
                    if (!written(out, bytes)) {
                        return EXIT_SIGNAL + SIGPIPE;
                    }
                }
                case Frame.Errors(ByteBuffer bytes) -> {
                    if (!written(errors, bytes)) {
                        return EXIT_SIGNAL + SIGPIPE;
                    }
                }
                case Frame.Grant(int bytes) -> credit.release(bytes);
                case Frame.Exit(int code, int signal) -> {
                    return signal == 0 ? code : EXIT_SIGNAL + signal;
                }
                case Frame.Detach() -> {
                    return 0;
                }
                case Frame.Lost(String reason) -> throw new OperatorException(reason);
                case Frame.Input _, Frame.InputEnd _, Frame.Resize _, Frame.Signal _ ->
                        throw new OperatorException("the worker does not keep to the protocol");
            }
        }
    }

    /// The next frame of the worker; a detach of our own once the worker has hung up upon it.
    private Frame next() {
        try {
            Optional<Frame> frame = channel.read();
            if (frame.isPresent()) {
                return frame.get();
            }
        } catch (IOException e) {
            if (!detached) {
                throw new OperatorException("the worker has gone: " + e.getMessage(), e);
            }
        }
        if (detached) {
            return new Frame.Detach();
        }
        throw new OperatorException("the worker has hung up");
    }

    private void carryInput() {
        byte[] typed = new byte[CHUNK];
        // left open: descriptor 0 is the terminal that is yet to get its mode back
        FileInputStream in = new FileInputStream(FileDescriptor.in);
        try {
            int count = in.read(typed);
            while (count >= 0 && !detached) {
                byte[] passed = keys == null ? copy(typed, count) : keys.pass(typed, count);
                if (passed.length > 0) {
                    credit.acquire(passed.length);
                    channel.write(new Frame.Input(ByteBuffer.wrap(passed)));
                }
                if (keys != null && keys.detached()) {
                    detached = true;
                    channel.write(new Frame.Detach());
                } else {
                    count = in.read(typed);
                }
            }
            if (!detached) {
                channel.write(new Frame.InputEnd());
            }
        } catch (IOException _) {
            // the command or the worker has gone, which the other thread says
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private static byte[] copy(byte[] bytes, int count) {
        return Arrays.copyOf(bytes, count);
    }

    private static boolean written(OutputStream to, ByteBuffer bytes) {
        try {
            to.write(Frame.bytes(bytes));
            to.flush();
            return true;
        } catch (IOException _) {
            return false; // whoever read it has left
        }
    }
}
