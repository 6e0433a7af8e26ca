package dev.glovebox.worker.tool;

import dev.glovebox.sandbox.guest.Exit;
import dev.glovebox.sandbox.guest.FileKind;
import dev.glovebox.sandbox.guest.Guest;
import dev.glovebox.sandbox.guest.GuestException;
import dev.glovebox.sandbox.guest.GuestProcess;
import dev.glovebox.sandbox.guest.ProcessRequest;
import dev.glovebox.worker.shell.Cancellation;
import dev.glovebox.worker.shell.ShellEnvironment;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/// `grep`: the lines that fit a regular expression, by ripgrep inside the sandbox, or by GNU grep
/// with Perl's syntax where the sandbox has no ripgrep.
final class GrepTool implements Tool {
    private static final int MAX_ERROR = 4 * 1024;
    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    private static final List<String> RIPGREP =
            List.of("/usr/local/bin/rg", "/usr/bin/rg", "/bin/rg");

    private final Guest guest;
    private final PathPolicy paths;
    private final ShellEnvironment environment;
    private final int outputBytes;
    private boolean looked;
    private @Nullable String ripgrep;

    GrepTool(Guest guest, PathPolicy paths, ShellEnvironment environment, ToolLimits limits) {
        this.guest = guest;
        this.paths = paths;
        this.environment = environment;
        this.outputBytes = limits.outputBytes();
    }

    @Override
    public String name() {
        return "grep";
    }

    @Override
    public ToolResult run(ToolInput input, Cancellation cancellation) {
        String pattern = input.required("pattern");
        String named = input.text("path").orElse("");
        String path = named.isEmpty() ? paths.root() : paths.resolve(named);
        Optional<String> rg = ripgrep();
        List<String> argv = new ArrayList<>();
        if (rg.isPresent()) {
            argv.addAll(List.of(rg.get(), "--no-config", "-n", "--no-heading", "-e", pattern));
        } else {
            argv.addAll(List.of("/usr/bin/grep", "-rnHIP", "--exclude-dir=.git"));
            argv.addAll(List.of("--exclude-dir=node_modules", "-e", pattern));
        }
        argv.addAll(List.of("--", path));
        return search(argv, rg.isPresent() ? "rg" : "search", cancellation);
    }

    private ToolResult search(List<String> argv, String program, Cancellation cancellation) {
        ProcessRequest request =
                ProcessRequest.of(argv, environment.variables(), environment.root());
        long deadline = System.nanoTime() + TIMEOUT.toNanos();
        try (GuestProcess process = guest.start(request);
                var _ = cancellation.onCancel(process::close)) {
            process.stdin().close();
            FutureTask<String> errors = readErrors(process);
            byte[] output = new byte[outputBytes + 1];
            int size = read(process, output, deadline);
            if (cancellation.cancelled()) {
                throw new ToolFailure("grep: aborted");
            }
            if (size > outputBytes) {
                return ToolResult.ok(
                        new String(output, 0, outputBytes, StandardCharsets.UTF_8)
                                + "\n[output truncated at "
                                + outputBytes
                                + " bytes]");
            }
            Exit exit = process.waitFor(remaining(deadline));
            return switch (exit.code()) {
                case 0 -> ToolResult.ok(new String(output, 0, size, StandardCharsets.UTF_8));
                case 1 -> ToolResult.ok("no matches");
                default ->
                        throw new ToolFailure(
                                "grep: " + program + " failed: " + errorText(errors, exit));
            };
        } catch (TimeoutException _) {
            throw new ToolFailure("grep: timed out after " + TIMEOUT.toSeconds() + "s");
        } catch (IOException e) {
            throw new ToolFailure("grep: " + program + " failed: " + e.getMessage());
        }
    }

    private static int read(GuestProcess process, byte[] output, long deadline)
            throws IOException, TimeoutException {
        int size = 0;
        while (size < output.length) {
            int count =
                    process.stdout().read(output, size, output.length - size, remaining(deadline));
            if (count < 0) {
                break;
            }
            size += count;
        }
        return size;
    }

    private static Duration remaining(long deadline) {
        return Duration.ofNanos(Math.max(1, deadline - System.nanoTime()));
    }

    private Optional<String> ripgrep() {
        if (!looked) {
            ripgrep = RIPGREP.stream().filter(this::isProgram).findFirst().orElse(null);
            looked = true;
        }
        return Optional.ofNullable(ripgrep);
    }

    private boolean isProgram(String path) {
        try {
            return guest.stat(path, true).kind() == FileKind.REGULAR;
        } catch (GuestException e) {
            if (guest.isOpen()) {
                return false;
            }
            throw e;
        }
    }

    /// Reads what a process says on stderr, beside its output so that neither stops the other.
    private static FutureTask<String> readErrors(GuestProcess process) {
        FutureTask<String> task = new FutureTask<>(() -> errors(process));
        Thread.ofVirtual().name("grep-errors").start(task);
        return task;
    }

    private static String errors(GuestProcess process) throws IOException {
        byte[] text = process.stderr().readNBytes(MAX_ERROR);
        process.stderr().skip(Long.MAX_VALUE);
        return new String(text, StandardCharsets.UTF_8);
    }

    private static String errorText(FutureTask<String> errors, Exit exit) throws TimeoutException {
        String end =
                exit.signal() > 0 ? "killed by signal " + exit.signal() : "exit " + exit.code();
        try {
            String text = errors.get(1, TimeUnit.SECONDS);
            return text.isEmpty() ? end : text;
        } catch (ExecutionException _) {
            return end;
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            return end;
        }
    }
}
