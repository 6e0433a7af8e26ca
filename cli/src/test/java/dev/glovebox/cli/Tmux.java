package dev.glovebox.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// A person at a terminal: tmux(1) with one shell in one window of 100 columns and 30 rows.
final class Tmux implements AutoCloseable {
    private static final Duration DEADLINE = Duration.ofMinutes(2);

    private final Path socket;

    Tmux(Path directory) {
        this.socket = directory.resolve("tmux");
        tmux("-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "30", "bash --norc");
        type("PS1='outer> '; cd " + directory, "Enter");
    }

    /// Types words, and keys by their name in tmux, such as `Enter` or `C-c`.
    void type(String... keys) {
        List<String> command = new ArrayList<>(List.of("send-keys"));
        command.addAll(List.of(keys));
        tmux(command.toArray(String[]::new));
    }

    void resize(int columns, int rows) {
        tmux("resize-window", "-x", Integer.toString(columns), "-y", Integer.toString(rows));
    }

    /// What the terminal shows.
    String shown() {
        return tmux("capture-pane", "-p");
    }

    /// The title that programs have given the terminal.
    String title() {
        return tmux("display-message", "-p", "#{pane_title}").strip();
    }

    void clear() {
        type("clear", "Enter");
    }

    /// Waits until a line that begins so is shown.
    void awaitLine(String beginning) {
        long end = System.nanoTime() + DEADLINE.toNanos();
        while (shown().lines().noneMatch(line -> line.startsWith(beginning))) {
            if (System.nanoTime() > end) {
                throw new AssertionError("no line '" + beginning + "' in:\n" + shown());
            }
            LockSupport.parkNanos(50_000_000);
        }
    }

    @Override
    public void close() {
        tmux("kill-server");
    }

    private String tmux(String... arguments) {
        List<String> command = new ArrayList<>(List.of("tmux", "-S", socket.toString()));
        command.addAll(List.of(arguments));
        try {
            Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
            String out =
                    new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
                throw new AssertionError(command + ": " + out);
            }
            return out;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }
}
