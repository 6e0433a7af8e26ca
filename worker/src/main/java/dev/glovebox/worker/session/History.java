package dev.glovebox.worker.session;

import dev.glovebox.protocol.event.AgentEvent;
import dev.glovebox.protocol.event.Event;
import dev.glovebox.protocol.event.SessionEvent;
import dev.glovebox.protocol.event.UserEvent;
import dev.glovebox.protocol.event.UserEvent.Verdict;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/// What a session's whole log says about its calls, gathered event by event in the log's order.
///
/// A call is closed by a result of whomever it is from, also the platform's own, and by an
/// interrupt that comes after it. So nothing that the platform has settled is ever run.
final class History {
    private final Map<String, ToolCall> open = new LinkedHashMap<>();
    private final Set<String> openCustom = new HashSet<>();
    private final Set<String> closed = new HashSet<>();
    private final Map<String, Verdict> verdicts = new HashMap<>();
    private final Set<String> deadThreads = new HashSet<>();
    private boolean turnOver;

    /// Takes the next event.
    void add(Event event) {
        if (!IdleClock.isNeutral(event)) {
            turnOver = IdleClock.endsTurn(event);
        }
        switch (event) {
            case AgentEvent.ToolUse use ->
                    ToolCall.of(use)
                            .filter(call -> !closed.contains(call.id()))
                            .ifPresent(call -> open.put(call.id(), call));
            case AgentEvent.CustomToolUse use -> {
                String id = use.id();
                if (id != null && !closed.contains(id)) {
                    openCustom.add(id);
                }
            }
            case UserEvent.ToolResult result -> close(result.toolUseId());
            case AgentEvent.ToolResult result -> close(result.toolUseId());
            case UserEvent.CustomToolResult result -> close(result.customToolUseId());
            case UserEvent.ToolConfirmation c -> verdicts.put(c.toolUseId(), c.result());
            case UserEvent.Interrupt interrupt ->
                    open.values().stream()
                            .filter(call -> call.hitBy(interrupt.sessionThreadId()))
                            .map(ToolCall::id)
                            .toList()
                            .forEach(this::close);
            case SessionEvent.ThreadTerminated t -> deadThreads.add(t.sessionThreadId());
            default -> {}
        }
    }

    /// The calls without a result, in their order.
    Map<String, ToolCall> open() {
        return open;
    }

    /// Whether a custom call, which is never ours, waits for its owner.
    boolean customCallOpen() {
        return !openCustom.isEmpty();
    }

    /// Ids of the calls that are settled.
    Set<String> closed() {
        return closed;
    }

    /// What people decided about calls that ask.
    Map<String, Verdict> verdicts() {
        return verdicts;
    }

    /// Threads whose calls are dead.
    Set<String> deadThreads() {
        return deadThreads;
    }

    /// Whether the last word is an idle that ends the turn.
    boolean turnOver() {
        return turnOver;
    }

    private void close(String id) {
        closed.add(id);
        open.remove(id);
        openCustom.remove(id);
    }
}
