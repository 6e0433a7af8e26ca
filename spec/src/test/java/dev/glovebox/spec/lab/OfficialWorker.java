package dev.glovebox.spec.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/// The official `EnvironmentWorker` of the TypeScript SDK, unmodified, in its own Node process and
/// a plain directory.
public final class OfficialWorker implements AutoCloseable {
    private static final Duration LEAVE = Duration.ofSeconds(10);

    private final Process node;
    private final Path workdir;
    private final Path log;

    private OfficialWorker(Process node, Path workdir, Path log) {
        this.node = node;
        this.workdir = workdir;
        this.log = log;
    }

    /// Starts a worker that serves one environment of the desk until it is closed.
    ///
    /// @param maxIdle how long it stays with a session after the end of a turn
    public static OfficialWorker serving(Desk desk, Duration maxIdle) {
        return serving(desk.baseUrl(), desk.environmentId(), desk.environmentKey(), maxIdle);
    }

    /// Starts a worker with everything of the test's choice.
    public static OfficialWorker serving(
            URI baseUrl, String environmentId, String environmentKey, Duration maxIdle) {
        try {
            Path workdir = Files.createTempDirectory("glovebox-official-");
            Path log = Files.createTempFile("glovebox-official-", ".log");
            ProcessBuilder builder =
                    new ProcessBuilder(NodeHome.ready().command("worker.mjs"))
                            .redirectErrorStream(true)
                            .redirectOutput(log.toFile());
            builder.environment().put("ANTHROPIC_BASE_URL", baseUrl.toString());
            builder.environment().put("ANTHROPIC_ENVIRONMENT_ID", environmentId);
            builder.environment().put("ANTHROPIC_ENVIRONMENT_KEY", environmentKey);
            builder.environment().put("GLOVEBOX_WORKDIR", workdir.toRealPath().toString());
            builder.environment().put("GLOVEBOX_MAX_IDLE_MS", Long.toString(maxIdle.toMillis()));
            return new OfficialWorker(builder.start(), workdir.toRealPath(), log);
        } catch (IOException e) {
            throw new UncheckedIOException("start the official worker", e);
        }
    }

    /// The directory its tools work in.
    public Path workdir() {
        return workdir;
    }

    /// What it has printed.
    public String log() {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            throw new UncheckedIOException("read " + log, e);
        }
    }

    /// Whether the process still runs.
    public boolean alive() {
        return node.isAlive();
    }

    /// Its exit code, once it has left by itself.
    public int awaitExit(Duration deadline) {
        try {
            if (!node.waitFor(deadline.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new AssertionError("official worker still runs: " + log());
            }
            return node.exitValue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }

    /// Kills it without a word (SIGKILL), as a power cut would.
    public void kill() {
        node.descendants().forEach(ProcessHandle::destroyForcibly);
        node.destroyForcibly();
        awaitExit(LEAVE);
    }

    @Override
    public void close() {
        node.destroy();
        try {
            if (!node.waitFor(LEAVE.toSeconds(), TimeUnit.SECONDS)) {
                kill();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        Trees.remove(workdir);
        Trees.remove(log);
    }
}
