package dev.glovebox.protocol.event;

import dev.glovebox.protocol.session.ModelUsage;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/// Begin and end of a stretch of the platform's own work.
public sealed interface SpanEvent extends Event {

    /// A request to the model was sent.
    record ModelRequestStart(@Nullable String id, @Nullable Instant processedAt)
            implements SpanEvent {}

    /// The request that [#modelRequestStartId] began has ended.
    record ModelRequestEnd(
            @Nullable String id,
            String modelRequestStartId,
            @Nullable Boolean isError,
            ModelUsage modelUsage,
            @Nullable Instant processedAt)
            implements SpanEvent {}
}
