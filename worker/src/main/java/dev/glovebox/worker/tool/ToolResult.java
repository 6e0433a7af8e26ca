package dev.glovebox.worker.tool;

/// What a tool call came to, as the agent will read it.
///
/// @param text never empty: a tool that has nothing to say says `(no output)`
/// @param error whether the call failed; a command's exit code other than 0 is a failure
public record ToolResult(String text, boolean error) {
    private static final String NOTHING = "(no output)";

    public ToolResult {
        text = text.isEmpty() ? NOTHING : text;
    }

    /// A call that went well.
    public static ToolResult ok(String text) {
        return new ToolResult(text, false);
    }

    /// A call that failed.
    public static ToolResult error(String text) {
        return new ToolResult(text, true);
    }
}
