package dev.glovebox.server.http;

import dev.glovebox.protocol.Problem;
import dev.glovebox.protocol.ProblemException;
import io.helidon.webserver.http.ServerRequest;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/// The body of one request, read when it is asked for. Its size counts against a budget that all
/// requests share, until the request is answered: many large bodies at once wait for each other
/// instead of filling the memory.
final class RequestBody implements AutoCloseable {
    /// Largest body, in bytes.
    static final int MAX_BYTES = 32 * 1024 * 1024;

    /// What all bodies may have together, in KiB.
    static final int BUDGET_KIB = 256 * 1024;

    private static final long WAIT_SECONDS = 10;

    private final ServerRequest request;
    private final Semaphore budget;
    private int taken;

    /// @param budget [#BUDGET_KIB] permits, shared
    RequestBody(ServerRequest request, Semaphore budget) {
        this.request = request;
        this.budget = budget;
    }

    /// Reads the body; empty when none was sent.
    byte[] read() {
        if (!request.content().hasEntity()) {
            return new byte[0];
        }
        long announced = request.headers().contentLength().orElse(MAX_BYTES);
        if (announced > MAX_BYTES) {
            throw tooLarge();
        }
        take((int) (announced / 1024) + 1);
        try (InputStream in = request.content().inputStream()) {
            byte[] bytes = in.readNBytes(MAX_BYTES + 1);
            if (bytes.length > MAX_BYTES) {
                throw tooLarge();
            }
            return bytes;
        } catch (IOException e) {
            throw new UncheckedIOException("the request body could not be read", e);
        }
    }

    private void take(int kib) {
        try {
            if (!budget.tryAcquire(kib, WAIT_SECONDS, TimeUnit.SECONDS)) {
                throw ProblemException.of(
                        Problem.Kind.OVERLOADED, "too many large requests at once, try again");
            }
            taken += kib;
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            throw ProblemException.of(Problem.Kind.OVERLOADED, "the control plane is closing");
        }
    }

    private static ProblemException tooLarge() {
        return ProblemException.of(
                Problem.Kind.TOO_LARGE, "the request body is over " + MAX_BYTES + " bytes");
    }

    @Override
    public void close() {
        budget.release(taken);
        taken = 0;
    }
}
