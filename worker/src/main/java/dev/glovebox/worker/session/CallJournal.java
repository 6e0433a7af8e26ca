package dev.glovebox.worker.session;

import dev.glovebox.worker.tool.ToolResult;

/// Learns of a call before it starts, of its result before it is posted, and of the result's
/// arrival; each before the next step is taken. What a journal keeps is how a worker that comes
/// after a crash can know which calls may have run.
public interface CallJournal {
    /// Remembers nothing.
    CallJournal NONE =
            new CallJournal() {
                @Override
                public void starts(String sessionId, ToolCall call) {}

                @Override
                public void ended(String sessionId, ToolCall call, ToolResult result) {}

                @Override
                public void posted(String sessionId, ToolCall call) {}
            };

    /// The call is about to run.
    void starts(String sessionId, ToolCall call);

    /// The call has ended; the result is about to be posted.
    void ended(String sessionId, ToolCall call, ToolResult result);

    /// The control plane has the result.
    void posted(String sessionId, ToolCall call);
}
