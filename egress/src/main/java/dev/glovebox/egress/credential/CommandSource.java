package dev.glovebox.egress.credential;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// A program of the operator that prints the secret.
///
/// It is run as it is written down, without a shell, in `/`, with nothing on standard input and
/// with `PATH` alone in its environment: not one variable of the worker reaches it. It succeeds
/// with exit code 0 and 1 byte to 16 KiB on standard output, one line end at the end not counted.
/// What it says on standard error is thrown away, because it could be the secret. At its deadline
/// it is killed with its children; a process that hides from that and keeps the output open is not
/// joined by a second one.
final class CommandSource implements SecretSource {
    private static final String PATH =
            "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    private final List<String> argv;
    private final Duration ttl;
    private final Duration deadline;
    private final InstantSource clock;
    private CompletableFuture<byte[]> output = CompletableFuture.completedFuture(new byte[0]);

    /// @param argv the program, absolute, and its arguments
    /// @param ttl how long what it printed is used
    /// @param deadline after which it is killed
    CommandSource(List<String> argv, Duration ttl, Duration deadline, InstantSource clock) {
        this.argv = List.copyOf(argv);
        this.ttl = ttl;
        this.deadline = deadline;
        this.clock = clock;
    }

    @Override
    public Fetched fetch() throws CredentialException {
        if (!output.isDone()) {
            throw new CredentialException(
                    "command " + argv.getFirst() + " of before still holds its output open");
        }
        ProcessBuilder builder = new ProcessBuilder(argv).directory(new File("/"));
        Map<String, String> environment = builder.environment();
        environment.clear();
        environment.put("PATH", PATH);
        builder.redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")));
        builder.redirectError(ProcessBuilder.Redirect.DISCARD);
        try {
            return run(builder.start());
        } catch (IOException e) {
            throw new CredentialException("command " + argv.getFirst() + " cannot be run", e);
        }
    }

    private Fetched run(Process process) throws CredentialException {
        byte[] bytes = new byte[0];
        try {
            long end = System.nanoTime() + deadline.toNanos();
            output = read(process.getInputStream());
            bytes = output.get(deadline.toNanos(), TimeUnit.NANOSECONDS);
            if (bytes.length > MAX_BYTES) {
                throw new CredentialException(
                        "command "
                                + argv.getFirst()
                                + " printed more than "
                                + MAX_BYTES
                                + " bytes");
            }
            if (!process.waitFor(end - System.nanoTime(), TimeUnit.NANOSECONDS)) {
                throw new TimeoutException();
            }
            if (process.exitValue() != 0) {
                throw new CredentialException(
                        "command " + argv.getFirst() + " ended with exit " + process.exitValue());
            }
            return new Fetched(
                    FileSource.secret(bytes, "what command " + argv.getFirst() + " printed"),
                    clock.instant().plus(ttl),
                    stamp());
        } catch (TimeoutException e) {
            throw new CredentialException(
                    "command " + argv.getFirst() + " did not end within " + deadline);
        } catch (ExecutionException e) {
            throw new CredentialException("command " + argv.getFirst() + " cannot be read", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CredentialException("the worker is ending");
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
            Arrays.fill(bytes, (byte) 0);
        }
    }

    /// Reads on a platform thread: a pipe read would hold the carrier of a virtual one.
    private static CompletableFuture<byte[]> read(InputStream stream) {
        CompletableFuture<byte[]> read = new CompletableFuture<>();
        Thread.ofPlatform()
                .daemon()
                .name("egress-credential-output")
                .start(() -> {
                    try (stream) {
                        read.complete(stream.readNBytes(MAX_BYTES + 1));
                    } catch (IOException | UncheckedIOException e) {
                        read.completeExceptionally(e);
                    }
                });
        return read;
    }
}
