package dev.glovebox.worker.tool;

import dev.glovebox.worker.shell.Cancellation;

/// One tool of a session. A session's calls come one after another.
sealed interface Tool permits BashTool, ReadTool, WriteTool, EditTool, GlobTool, GrepTool {
    /// Its name on the wire.
    String name();

    /// Runs one call.
    ///
    /// @param cancellation ends the call early; a tool that can take long must heed it
    /// @throws ToolFailure with the words for the agent
    /// @throws dev.glovebox.sandbox.guest.GuestException when the sandbox is gone
    ToolResult run(ToolInput input, Cancellation cancellation);
}
