package dev.glovebox.spec.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/// A server program that a benchmark runs until it closes it.
final class Daemon implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final long PAUSE_NANOS = 10_000_000;

    private final Process process;
    private final Path log;

    private Daemon(Process process, Path log) {
        this.process = process;
        this.log = log;
    }

    /// Starts a program and waits until it listens.
    ///
    /// @param log takes what it writes
    static Daemon start(Path log, InetSocketAddress listening, List<String> command)
            throws IOException {
        Process process =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(log.toFile())
                        .start();
        Daemon daemon = new Daemon(process, log);
        try {
            daemon.await(listening);
            return daemon;
        } catch (IOException | RuntimeException e) {
            daemon.close();
            throw e;
        }
    }

    private void await(InetSocketAddress listening) throws IOException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!answers(listening)) {
            if (!process.isAlive() || System.nanoTime() > end) {
                throw new IllegalStateException(
                        process.info().command().orElse("a program")
                                + " does not listen at "
                                + listening
                                + ": "
                                + Files.readString(log));
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }

    private static boolean answers(InetSocketAddress listening) {
        try (Socket socket = new Socket()) {
            socket.connect(listening, 1000);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    /// Kibibytes of memory that it and its children have.
    long resident() {
        return all().mapToLong(each -> resident(each.pid())).sum();
    }

    /// Processor time that it and its children have used.
    Duration worked() {
        return all().map(each -> each.info().totalCpuDuration().orElse(Duration.ZERO))
                .reduce(Duration.ZERO, Duration::plus);
    }

    private Stream<ProcessHandle> all() {
        return Stream.concat(Stream.of(process.toHandle()), process.descendants());
    }

    /// Kibibytes of memory that a process has.
    static long resident(long pid) {
        try {
            return Files.readAllLines(Path.of("/proc/" + pid + "/status")).stream()
                    .filter(line -> line.startsWith("VmRSS:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D+", "")))
                    .sum();
        } catch (IOException e) {
            throw new UncheckedIOException("memory of process " + pid, e);
        }
    }

    @Override
    public void close() {
        List<ProcessHandle> children = process.descendants().toList();
        process.destroy();
        try {
            if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        children.forEach(ProcessHandle::destroyForcibly);
    }
}
