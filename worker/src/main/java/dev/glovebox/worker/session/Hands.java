package dev.glovebox.worker.session;

import dev.glovebox.worker.shell.Cancellation;
import dev.glovebox.worker.tool.ToolResult;
import tools.jackson.databind.JsonNode;

/// What runs the calls of one session.
public interface Hands extends AutoCloseable {
    /// Is told what the control plane says of the session, before the first call.
    default void session(JsonNode session) {}

    /// Whether a tool of this name is ours to run; calls of others are left to their owners.
    boolean knows(String tool);

    /// Runs one call; whatever goes wrong, also with the sandbox, is a result.
    ToolResult run(ToolCall call, Cancellation cancellation);

    /// Lets everything go that the calls have used, but for the session's files.
    @Override
    void close();
}
