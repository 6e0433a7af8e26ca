package dev.glovebox.worker.tool;

/// Ends a tool call with a text for the agent. Never leaves this package: [Toolset] turns it into a
/// [ToolResult]. It has no stack trace, because it is an answer and not a fault of ours.
final class ToolFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String text;

    ToolFailure(String text) {
        super(text, null, false, false);
        this.text = text;
    }

    /// The words for the agent.
    String text() {
        return text;
    }
}
