package dev.glovebox.worker.tool;

/// What a tool call came to, as the agent will read it.
///
/// @param text never empty: a tool that has nothing to say says `(no output)`
/// @param error whether the call failed; a command's exit code other than 0 is a failure
public record ToolResult(String text, boolean error) {
    private static final String NOTHING = "(no output)";

    public ToolResult {
        text = text.isEmpty() ? NOTHING : wellFormed(text);
    }

    /// Half a surrogate pair, which an agent can put into a name, has no UTF-8 and could not be
    /// posted.
    private static String wellFormed(String text) {
        return text.codePoints().noneMatch(ToolResult::isHalf)
                ? text
                : text.codePoints()
                        .map(c -> isHalf(c) ? 0xfffd : c)
                        .collect(
                                StringBuilder::new,
                                StringBuilder::appendCodePoint,
                                StringBuilder::append)
                        .toString();
    }

    private static boolean isHalf(int codePoint) {
        return codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE;
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
