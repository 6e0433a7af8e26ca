package dev.glovebox.sandbox.guest;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/// The answer somebody waits for: parts as they come, then a result or an error.
final class Reply implements Listener {
    private final String step;
    private final String path;
    private final Consumer<ByteBuffer> parts;
    private final CompletableFuture<ByteBuffer> done = new CompletableFuture<>();

    /// An answer without parts.
    Reply(String step, String path) {
        this(
                step,
                path,
                _ -> {
                    throw new GuestException("EPROTO", step, path);
                });
    }

    /// @param parts takes each part on the reader thread, and refuses more than was asked for
    Reply(String step, String path, Consumer<ByteBuffer> parts) {
        this.step = step;
        this.path = path;
        this.parts = parts;
    }

    @Override
    public void frame(int type, ByteBuffer payload) {
        switch (type) {
            case Wire.RESULT, Wire.HELLO -> done.complete(copy(payload));
            case Wire.PART -> parts.accept(payload);
            case Wire.ERROR -> done.completeExceptionally(error(payload, step, path));
            default -> throw new GuestException("EPROTO", step, path);
        }
    }

    @Override
    public void broken(GuestException reason) {
        done.completeExceptionally(reason);
    }

    boolean isDone() {
        return done.isDone();
    }

    /// Waits for the result.
    ///
    /// @throws GuestException the error of the inside, or why none came
    ByteBuffer await(Duration timeout, CallClock clock) {
        return await(done, timeout, clock, step, path);
    }

    static <T> T await(
            CompletableFuture<T> future,
            Duration timeout,
            CallClock clock,
            String step,
            String path) {
        try {
            return clock.get(future, timeout);
        } catch (TimeoutException e) {
            throw new GuestException("ETIMEDOUT", step, path, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new GuestException("EINTR", step, path, e);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof GuestException guest
                    ? guest.again()
                    : new GuestException("EPROTO", step, path, e);
        }
    }

    /// The exception an ERROR frame stands for.
    static GuestException error(ByteBuffer payload, String step, String path) {
        String text = StandardCharsets.UTF_8.decode(payload).toString();
        int nul = text.indexOf('\0');
        if (nul <= 0) {
            return new GuestException("EPROTO", step, path);
        }
        return new GuestException(text.substring(0, nul), text.substring(nul + 1), path);
    }

    private static ByteBuffer copy(ByteBuffer payload) {
        return ByteBuffer.allocate(payload.remaining()).put(payload).flip();
    }
}
