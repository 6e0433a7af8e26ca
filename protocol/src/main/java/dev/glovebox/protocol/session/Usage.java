package dev.glovebox.protocol.session;

/// What a session has consumed of its model, in tokens since it was created.
public record Usage(long inputTokens, long outputTokens, long cacheReadInputTokens) {
    /// Nothing yet.
    public static final Usage NONE = new Usage(0, 0, 0);

    /// This and one more model request.
    public Usage plus(ModelUsage more) {
        return new Usage(
                inputTokens + more.inputTokens(),
                outputTokens + more.outputTokens(),
                cacheReadInputTokens + more.cacheReadInputTokens());
    }
}
