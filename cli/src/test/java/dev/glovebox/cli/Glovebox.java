package dev.glovebox.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// The command line as a person starts it: a process of its own, with files for its input and
/// output.
final class Glovebox implements AutoCloseable {
    private static final Duration DEADLINE = Duration.ofMinutes(2);

    private final Process process;
    private final Path out;
    private final Path err;

    /// What a command that has ended left.
    record Result(int code, String out, String err) {}

    private Glovebox(Process process, Path out, Path err) {
        this.process = process;
        this.out = out;
        this.err = err;
    }

    /// Starts a command that goes on.
    static Glovebox start(Path directory, Map<String, String> environment, String... arguments) {
        return start(directory, environment, "", arguments);
    }

    /// Runs a command to its end.
    static Result run(Path directory, String input, String... arguments) {
        try (Glovebox started = start(directory, Map.of(), input, arguments)) {
            return started.end();
        }
    }

    private static Glovebox start(
            Path directory, Map<String, String> environment, String input, String... arguments) {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "--enable-native-access=ALL-UNNAMED",
                                "-XX:+UseSerialGC",
                                "-cp",
                                System.getProperty("java.class.path"),
                                Main.class.getName()));
        command.addAll(List.of(arguments));
        try {
            Path in = Files.createTempFile(directory, "in", ".txt");
            Path out = Files.createTempFile(directory, "out", ".txt");
            Path err = Files.createTempFile(directory, "err", ".txt");
            Files.writeString(in, input);
            ProcessBuilder builder =
                    new ProcessBuilder(command)
                            .redirectInput(in.toFile())
                            .redirectOutput(out.toFile())
                            .redirectError(err.toFile());
            builder.environment().keySet().removeIf(name -> name.startsWith("ANTHROPIC_"));
            builder.environment().putAll(environment);
            return new Glovebox(builder.start(), out, err);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Waits for a line on standard output that begins so, and gives it.
    String awaitLine(String beginning) {
        long end = System.nanoTime() + DEADLINE.toNanos();
        while (System.nanoTime() < end) {
            var line = text(out).lines().filter(l -> l.startsWith(beginning)).findFirst();
            if (line.isPresent()) {
                return line.get();
            }
            if (waitFor(Duration.ofMillis(50))) {
                break;
            }
        }
        throw new AssertionError(
                "no line beginning with '" + beginning + "': " + text(out) + text(err));
    }

    /// Asks the process to end, as a service manager does.
    void terminate() {
        process.destroy();
    }

    /// Waits for its end.
    Result end() {
        if (!waitFor(DEADLINE)) {
            throw new AssertionError("still running: " + text(out) + text(err));
        }
        return new Result(process.exitValue(), text(out), text(err));
    }

    private boolean waitFor(Duration time) {
        try {
            return process.waitFor(time.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }

    private static String text(Path file) {
        try {
            return Files.readString(file, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
