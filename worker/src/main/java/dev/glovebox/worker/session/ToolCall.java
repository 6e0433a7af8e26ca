package dev.glovebox.worker.session;

import dev.glovebox.protocol.event.AgentEvent;
import dev.glovebox.protocol.event.AgentEvent.Permission;
import java.util.Optional;
import tools.jackson.databind.node.ObjectNode;

/// A call of a tool, as its event tells it.
///
/// @param id the id of the event, which the result refers to
/// @param thread the sub-agent's thread it came from, empty for the primary one
public record ToolCall(
        String id, String name, ObjectNode input, Permission permission, Optional<String> thread) {

    static Optional<ToolCall> of(AgentEvent.ToolUse event) {
        String id = event.id();
        return id == null
                ? Optional.empty()
                : Optional.of(
                        new ToolCall(
                                id,
                                event.name(),
                                event.input(),
                                event.evaluatedPermission().orElse(Permission.ALLOW),
                                event.sessionThreadId().filter(t -> !t.isEmpty())));
    }

    /// Whether an interrupt of that thread, or of all when empty, is meant for this call.
    boolean hitBy(Optional<String> interrupted) {
        return interrupted.filter(t -> !t.isEmpty()).isEmpty() || interrupted.equals(thread);
    }
}
