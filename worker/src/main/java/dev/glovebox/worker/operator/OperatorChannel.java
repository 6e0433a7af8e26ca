package dev.glovebox.worker.operator;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/// One connection between an operator's client and a worker: a line each way, then perhaps frames.
///
/// One thread reads, any may write; each frame goes out whole. Everything waits as long as it
/// takes; closing from another thread ends that.
public final class OperatorChannel implements AutoCloseable {
    private static final int FIRST_BUFFER = 4 * 1024;

    private final SocketChannel channel;
    private final ReentrantLock writing = new ReentrantLock();
    private ByteBuffer unread = ByteBuffer.allocate(FIRST_BUFFER).flip();

    /// Takes over a connected, blocking channel, and closes it with itself.
    OperatorChannel(SocketChannel channel) {
        this.channel = channel;
    }

    /// The next line without its line feed.
    ///
    /// @param longest most bytes it may have
    /// @throws OperatorException if it is longer
    /// @throws EOFException if the other side hangs up before the line is whole
    String readLine(int longest) throws IOException {
        int scanned = 0;
        while (true) {
            for (; scanned < unread.remaining(); scanned++) {
                if (unread.get(unread.position() + scanned) == '\n') {
                    byte[] line = new byte[scanned];
                    unread.get(line).get();
                    return new String(line, StandardCharsets.UTF_8);
                }
            }
            if (scanned > longest) {
                throw new OperatorException("a line is longer than " + longest + " bytes");
            }
            if (!fill(scanned + 1)) {
                throw new EOFException("hung up");
            }
        }
    }

    /// Sends a line.
    void writeLine(String line) throws IOException {
        write(ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8)));
    }

    /// The next frame, empty when the other side has hung up.
    ///
    /// @throws OperatorException for bytes that are no frame
    public Optional<Frame> read() throws IOException {
        if (!ensure(5)) {
            return Optional.empty();
        }
        byte kind = unread.get();
        int length = unread.getInt();
        if (length < 0 || length > Frame.LONGEST) {
            throw new OperatorException("a frame is longer than " + Frame.LONGEST + " bytes");
        }
        if (!ensure(length)) {
            return Optional.empty();
        }
        byte[] content = new byte[length];
        unread.get(content);
        return Optional.of(Frame.decoded(kind, ByteBuffer.wrap(content)));
    }

    /// Sends a frame.
    public void write(Frame frame) throws IOException {
        write(frame.encoded());
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    private void write(ByteBuffer bytes) throws IOException {
        writing.lock();
        try {
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        } finally {
            writing.unlock();
        }
    }

    private boolean ensure(int bytes) throws IOException {
        while (unread.remaining() < bytes) {
            if (!fill(bytes)) {
                return false;
            }
        }
        return true;
    }

    /// Reads once more, with room for so many unread bytes at least; false at the end.
    private boolean fill(int wanted) throws IOException {
        if (unread.capacity() < wanted) {
            int larger = Math.max(wanted, 2 * unread.capacity());
            unread = ByteBuffer.allocate(larger).put(unread);
        } else {
            unread.compact();
        }
        try {
            return channel.read(unread) >= 0;
        } finally {
            unread.flip();
        }
    }
}
