package dev.glovebox.protocol.session;

/// What one model request consumed, in tokens.
public record ModelUsage(
        long inputTokens,
        long outputTokens,
        long cacheCreationInputTokens,
        long cacheReadInputTokens) {
    /// A request that used no model, as the scripted brain's are.
    public static final ModelUsage NONE = new ModelUsage(0, 0, 0, 0);
}
