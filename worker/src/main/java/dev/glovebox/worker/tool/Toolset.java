package dev.glovebox.worker.tool;

import dev.glovebox.sandbox.Sandbox;
import dev.glovebox.sandbox.guest.Guest;
import dev.glovebox.sandbox.guest.GuestException;
import dev.glovebox.worker.shell.Cancellation;
import dev.glovebox.worker.shell.ShellEnvironment;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import tools.jackson.databind.node.ObjectNode;

/// The six tools of `agent_toolset_20260401` in one sandbox: `bash`, `read`, `write`, `edit`,
/// `glob`, `grep`. One call at a time; texts and limits are those of the official worker unless the
/// room's README lists the difference.
public final class Toolset implements AutoCloseable {
    /// The names of the tools.
    public static final Set<String> NAMES = Set.of("bash", "read", "write", "edit", "glob", "grep");

    private final Map<String, Tool> tools;
    private final BashTool bash;

    /// The tools in one sandbox, nothing started yet.
    ///
    /// @param environment where the tools work and what programs see
    /// @param notes what is told to the agent after a command
    public Toolset(
            Sandbox sandbox, ShellEnvironment environment, ToolLimits limits, CallNotes notes) {
        Guest guest = sandbox.guest();
        PathPolicy paths = new PathPolicy(guest, environment.root());
        this.bash = new BashTool(sandbox, environment, limits, notes);
        this.tools =
                Stream.of(
                                bash,
                                new ReadTool(guest, paths, limits),
                                new WriteTool(guest, paths),
                                new EditTool(guest, paths, limits),
                                new GlobTool(guest, paths),
                                new GrepTool(guest, paths, environment, limits))
                        .collect(Collectors.toUnmodifiableMap(Tool::name, Function.identity()));
    }

    /// Runs one call.
    ///
    /// @param name one of [#NAMES]
    /// @throws GuestException when the sandbox itself has failed
    public ToolResult call(String name, ObjectNode input, Cancellation cancellation) {
        Tool tool = tools.get(name);
        if (tool == null) {
            throw new IllegalArgumentException("not a tool of this set: " + name);
        }
        try {
            return tool.run(new ToolInput(name, input), cancellation);
        } catch (ToolFailure e) {
            return ToolResult.error(e.text());
        }
    }

    /// Kills the shell with all that runs in it.
    @Override
    public void close() {
        bash.close();
    }
}
