package dev.glovebox.worker.tool;

import dev.glovebox.sandbox.Sandbox;
import dev.glovebox.worker.shell.Cancellation;
import dev.glovebox.worker.shell.Shell;
import dev.glovebox.worker.shell.ShellEnvironment;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/// `bash`: runs a command in the session's shell.
final class BashTool implements Tool, AutoCloseable {
    private static final int MAX_NOTES = 20;

    private final Sandbox sandbox;
    private final ShellEnvironment environment;
    private final ToolLimits limits;
    private final CallNotes notes;
    private @Nullable Shell shell;

    BashTool(Sandbox sandbox, ShellEnvironment environment, ToolLimits limits, CallNotes notes) {
        this.sandbox = sandbox;
        this.environment = environment;
        this.limits = limits;
        this.notes = notes;
    }

    @Override
    public String name() {
        return "bash";
    }

    @Override
    public ToolResult run(ToolInput input, Cancellation cancellation) {
        boolean restart = input.flag("restart");
        String command = input.text("command").orElse("");
        Duration timeout = timeout(input.number("timeout_ms"));
        if (restart) {
            close();
        }
        if (command.isEmpty()) {
            if (restart) {
                return ToolResult.ok("bash session restarted");
            }
            throw new ToolFailure("bash: command is required");
        }
        Instant start = Instant.now();
        return withNotes(execute(command, timeout, cancellation), start);
    }

    /// Kills the shell with all that runs in it; the next call starts a new one.
    @Override
    public void close() {
        Shell old = shell;
        shell = null;
        if (old != null) {
            old.close();
        }
    }

    private ToolResult execute(String command, Duration timeout, Cancellation cancellation) {
        Shell current =
                shell == null ? Shell.start(sandbox, environment, limits.outputBytes()) : shell;
        shell = current;
        Shell.Outcome outcome = current.run(command, timeout, cancellation);
        if (!(outcome instanceof Shell.Outcome.Done)) {
            close();
        }
        return switch (outcome) {
            case Shell.Outcome.Done(String text, int code) ->
                    code == 0
                            ? ToolResult.ok(text)
                            : ToolResult.error(text.isEmpty() ? "exit " + code : text);
            case Shell.Outcome.TimedOut() ->
                    ToolResult.error(
                            "bash: bash command timed out after " + timeout.toMillis() + "ms");
            case Shell.Outcome.Ended() -> {
                // fails, and so says more, if it is the sandbox that has ended and not the shell
                sandbox.guest().stat("/", true);
                yield ToolResult.error("bash: bash session terminated");
            }
            case Shell.Outcome.Cancelled() -> ToolResult.error("bash: interrupted");
        };
    }

    private Duration timeout(OptionalLong millis) {
        if (millis.isEmpty() || millis.getAsLong() == 0) {
            return limits.defaultTimeout();
        }
        return Duration.ofMillis(Math.min(millis.getAsLong(), limits.longestTimeout().toMillis()));
    }

    private ToolResult withNotes(ToolResult result, Instant start) {
        List<String> lines = notes.since(start);
        if (lines.isEmpty()) {
            return result;
        }
        StringBuilder text = new StringBuilder(result.text());
        lines.stream().limit(MAX_NOTES).forEach(line -> text.append('\n').append(line));
        if (lines.size() > MAX_NOTES) {
            text.append("\n[and ").append(lines.size() - MAX_NOTES).append(" more like these]");
        }
        return new ToolResult(text.toString(), result.error());
    }
}
