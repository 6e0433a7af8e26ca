package dev.glovebox.spec.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;

/// A running worker of either make.
public final class WorkerProcess implements AutoCloseable {
    private static final Duration LEAVE = Duration.ofSeconds(20);
    private static final Duration START = Duration.ofSeconds(60);

    private final Process process;
    private final Path log;

    private WorkerProcess(Process process, Path log) {
        this.process = process;
        this.log = log;
    }

    static WorkerProcess start(ProcessBuilder builder, String key, Path folder) {
        try {
            Path log = Files.createTempFile(folder, "worker-", ".log");
            builder.environment().put("ANTHROPIC_ENVIRONMENT_KEY", key);
            Process process =
                    builder.redirectErrorStream(true).redirectOutput(log.toFile()).start();
            WorkerProcess started = new WorkerProcess(process, log);
            Awaitility.await("worker is ready")
                    .atMost(START)
                    .until(() -> !started.log().isEmpty() || !process.isAlive());
            return started;
        } catch (IOException e) {
            throw new UncheckedIOException("start a worker", e);
        }
    }

    /// What it has printed.
    public String log() {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            throw new UncheckedIOException("read " + log, e);
        }
    }

    /// Whether it still runs.
    public boolean alive() {
        return process.isAlive();
    }

    /// Its exit code, once it has left by itself.
    public int awaitExit(Duration deadline) {
        try {
            if (!process.waitFor(deadline.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new AssertionError("worker still runs: " + log());
            }
            return process.exitValue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }

    /// Kills it without a word (SIGKILL), and nothing but it.
    public void kill() {
        process.destroyForcibly();
        awaitExit(LEAVE);
    }

    @Override
    public void close() {
        try {
            process.getOutputStream().close();
        } catch (IOException e) {
            process.destroy();
        }
        try {
            if (!process.waitFor(LEAVE.toSeconds(), TimeUnit.SECONDS)) {
                kill();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
