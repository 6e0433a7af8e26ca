package dev.glovebox.protocol.event;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonProperty;
import dev.glovebox.protocol.Union;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// One entry of a session's log, sent by a client, the agent or the platform.
///
/// An event that a client sends has no [#id] and no [#processedAt] until the control plane has
/// stored it; the id of an `agent.tool_use` is what its result and its confirmation refer to.
@JsonIgnoreProperties(value = "type", allowGetters = true)
public sealed interface Event permits UserEvent, AgentEvent, SessionEvent, SpanEvent, UnknownEvent {
    /// Every event type this version knows, with its record.
    // class literals and method references do not initialise the members, so there is no cycle
    @SuppressWarnings("ClassInitializationDeadlock")
    Union<Event> UNION =
            new Union<>(
                    Map.ofEntries(
                            Map.entry("user.message", UserEvent.Message.class),
                            Map.entry("user.interrupt", UserEvent.Interrupt.class),
                            Map.entry("user.tool_confirmation", UserEvent.ToolConfirmation.class),
                            Map.entry("user.tool_result", UserEvent.ToolResult.class),
                            Map.entry("user.custom_tool_result", UserEvent.CustomToolResult.class),
                            Map.entry("agent.message", AgentEvent.Message.class),
                            Map.entry("agent.thinking", AgentEvent.Thinking.class),
                            Map.entry("agent.tool_use", AgentEvent.ToolUse.class),
                            Map.entry("agent.tool_result", AgentEvent.ToolResult.class),
                            Map.entry("agent.custom_tool_use", AgentEvent.CustomToolUse.class),
                            Map.entry("session.status_running", SessionEvent.Running.class),
                            Map.entry("session.status_idle", SessionEvent.Idle.class),
                            Map.entry("session.status_rescheduled", SessionEvent.Rescheduled.class),
                            Map.entry("session.status_terminated", SessionEvent.Terminated.class),
                            Map.entry("session.error", SessionEvent.Failed.class),
                            Map.entry("session.updated", SessionEvent.Updated.class),
                            Map.entry("session.usage", SessionEvent.Used.class),
                            Map.entry("session.deleted", SessionEvent.Deleted.class),
                            Map.entry(
                                    "session.thread_status_terminated",
                                    SessionEvent.ThreadTerminated.class),
                            Map.entry(
                                    "span.model_request_start", SpanEvent.ModelRequestStart.class),
                            Map.entry("span.model_request_end", SpanEvent.ModelRequestEnd.class)),
                    UnknownEvent::of);

    /// The id (`sevt_...`), or `null` before the control plane has stored the event.
    @Nullable String id();

    /// When the platform handled the event, or `null` while it waits.
    @Nullable Instant processedAt();

    /// The wire name, such as `agent.tool_use`.
    @JsonProperty("type")
    default String type() {
        return UNION.typeOf(getClass());
    }
}
