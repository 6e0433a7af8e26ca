package dev.glovebox.worker.tool;

import dev.glovebox.protocol.Json;
import dev.glovebox.sandbox.Limits;
import dev.glovebox.sandbox.Mount;
import dev.glovebox.sandbox.RuntimeName;
import dev.glovebox.sandbox.Sandbox;
import dev.glovebox.sandbox.SandboxConfig;
import dev.glovebox.sandbox.SandboxSpec;
import dev.glovebox.sandbox.Sandboxes;
import dev.glovebox.sandbox.Template;
import dev.glovebox.worker.shell.Cancellation;
import dev.glovebox.worker.shell.ShellEnvironment;
import dev.glovebox.workspace.Workspace;
import dev.glovebox.workspace.Workspaces;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.node.ObjectNode;

/// A real sandbox with the six tools in it, for tests.
final class Sandboxed implements AutoCloseable {
    final Path directory;
    final Sandbox sandbox;
    final Toolset tools;
    private final Optional<Sandboxes> own;
    private final Workspace workspace;

    Sandboxed(Path state) {
        this(state, RuntimeName.CRUN);
    }

    Sandboxed(Path state, RuntimeName runtime) {
        this(state, runtime, Limits.DEFAULT.withMemory("256m"));
    }

    Sandboxed(Path state, RuntimeName runtime, Limits limits) {
        this(
                Sandboxes.open(
                        new SandboxConfig(
                                state.resolve("sb"),
                                Optional.of(runtime),
                                SandboxConfig.DEFAULT_START_TIMEOUT)),
                true,
                Workspaces.open(state.resolve("ws")).open("sesn_1"),
                limits);
    }

    /// One of many; who has opened `sandboxes` closes them.
    Sandboxed(Sandboxes sandboxes, Workspace workspace, Limits limits) {
        this(sandboxes, false, workspace, limits);
    }

    private Sandboxed(Sandboxes sandboxes, boolean alone, Workspace workspace, Limits limits) {
        this.own = alone ? Optional.of(sandboxes) : Optional.empty();
        this.workspace = workspace;
        directory = workspace.directory();
        sandbox =
                sandboxes.create(
                        new SandboxSpec(
                                workspace.id(),
                                Template.BASE,
                                List.of(new Mount(directory, "/workspace", false)),
                                Optional.empty(),
                                limits,
                                Map.of()));
        tools =
                new Toolset(
                        sandbox,
                        new ShellEnvironment("/workspace", sandbox.environment()),
                        ToolLimits.DEFAULT,
                        CallNotes.NONE);
    }

    /// Runs a call whose input is written as JSON with single quotes for double ones.
    ToolResult call(String tool, String input) {
        return tools.call(
                tool, (ObjectNode) Json.tree(input.replace('\'', '"')), new Cancellation());
    }

    /// Runs a command.
    ToolResult bash(String command) {
        return tools.call("bash", Json.object().put("command", command), new Cancellation());
    }

    @Override
    public void close() {
        tools.close();
        sandbox.close();
        own.ifPresent(Sandboxes::close);
        workspace.close();
    }
}
