package dev.glovebox.worker.session;

import dev.glovebox.protocol.event.AgentEvent;
import dev.glovebox.protocol.event.AgentEvent.Permission;
import dev.glovebox.protocol.event.Event;
import dev.glovebox.protocol.event.SessionEvent;
import dev.glovebox.protocol.event.UserEvent;
import dev.glovebox.protocol.event.UserEvent.Verdict;
import dev.glovebox.worker.shell.Cancellation;
import dev.glovebox.worker.tool.ToolResult;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// Which calls of a session are to run, wait, or are over. No thread, no lock, no clock: events go
/// in, tasks come out.
///
/// A call that was seen is never taken in twice. It goes one of these ways:
///
/// ```
/// seen -> ready -> running -> settled          allow, or allowed by a person
/// seen -> held -> ready ...                    ask, or a permission of a later version
/// seen -> held -> settled                      denied by a person
/// seen -> settled                              denied by the platform
/// ```
///
/// From every state it becomes settled when anybody answers it, and dead when its thread ends. An
/// interrupt cancels what runs, and what was ready to run is answered with an error instead.
final class CallBook {
    private final Predicate<String> ours;
    private final Set<String> seen = new HashSet<>();
    private final Set<String> settled = new HashSet<>();
    private final Set<String> foreign = new HashSet<>();
    private final Set<String> deadThreads = new HashSet<>();
    private final Map<String, Verdict> verdicts = new HashMap<>();
    private final Map<String, ToolCall> held = new LinkedHashMap<>();
    private final Map<String, Task> ready = new LinkedHashMap<>();
    private final Map<String, Task.Post> unposted = new LinkedHashMap<>();
    private @Nullable Running running;

    /// @param ours whether a tool of that name is ours to run
    CallBook(Predicate<String> ours) {
        this.ours = ours;
    }

    /// What is to be done about a call.
    sealed interface Task {
        /// The call it is about.
        ToolCall call();

        /// Run it and post its result.
        ///
        /// @param cancellation comes when nobody wants the result any more
        record Run(ToolCall call, Cancellation cancellation) implements Task {}

        /// Post a result that is already known.
        record Post(ToolCall call, ToolResult result) implements Task {}
    }

    private record Running(ToolCall call, Cancellation cancellation) {}

    /// Takes note of an event from the stream.
    ///
    /// @return what to cancel now, if the event ends the running call
    Optional<Cancellation> note(Event event) {
        switch (event) {
            case AgentEvent.ToolUse use -> ToolCall.of(use).ifPresent(this::offer);
            case UserEvent.ToolConfirmation c -> decide(c.toolUseId(), c.result());
            case UserEvent.ToolResult result -> {
                return settle(result.toolUseId());
            }
            case AgentEvent.ToolResult result -> {
                return settle(result.toolUseId());
            }
            case UserEvent.Interrupt interrupt -> {
                return interrupt(interrupt.sessionThreadId());
            }
            case SessionEvent.ThreadTerminated t -> {
                return killThread(t.sessionThreadId());
            }
            default -> {}
        }
        return Optional.empty();
    }

    /// Takes over the whole history, after the stream was opened.
    ///
    /// @return what to cancel now, if the history ends the running call
    List<Cancellation> reconcile(History history) {
        List<Cancellation> due = new ArrayList<>();
        deadThreads.addAll(history.deadThreads());
        history.deadThreads().forEach(t -> killThread(t).ifPresent(due::add));
        history.closed().forEach(id -> settle(id).ifPresent(due::add));
        verdicts.putAll(history.verdicts());
        foreign.clear();
        history.open().values().forEach(this::offer);
        for (ToolCall call : List.copyOf(held.values())) {
            Verdict verdict = verdicts.get(call.id());
            if (verdict != null) {
                decide(call.id(), verdict);
            }
        }
        unposted.values().stream()
                .filter(post -> !settled.contains(post.call().id()))
                .forEach(post -> ready.put(post.call().id(), post));
        unposted.clear();
        return due;
    }

    /// Hands out the next thing to do; the one before must be [#done].
    Optional<Task> take() {
        if (ready.isEmpty() || running != null) {
            return Optional.empty();
        }
        String first = ready.keySet().iterator().next();
        Task task = ready.remove(first);
        if (task == null) {
            return Optional.empty();
        }
        running =
                task instanceof Task.Run run
                        ? new Running(run.call(), run.cancellation())
                        : new Running(task.call(), new Cancellation());
        return Optional.of(task);
    }

    /// The task that was handed out is over, and nobody needs to hear of the call again.
    void done() {
        Running last = running;
        if (last != null) {
            settled.add(last.call.id());
        }
        running = null;
    }

    /// The task that was handed out is over, but its result is still here: the next reading of the
    /// history posts it again, instead of running the call again.
    void notPosted(Task.Post post) {
        running = null;
        if (!settled.contains(post.call().id())) {
            unposted.put(post.call().id(), post);
        }
    }

    /// What runs, to cancel it.
    Optional<Cancellation> running() {
        return Optional.ofNullable(running).map(Running::cancellation);
    }

    /// Whether the call needs no answer from here any more.
    boolean settled(String id) {
        return settled.contains(id);
    }

    /// Whether the call's thread has ended, so that no answer is accepted.
    boolean dead(ToolCall call) {
        return call.thread().filter(deadThreads::contains).isPresent();
    }

    /// Whether a call is held or under way.
    boolean busy() {
        return running != null || !held.isEmpty() || !ready.isEmpty();
    }

    /// Whether a call that is not ours waits for an answer.
    boolean foreignCallOpen() {
        return !foreign.isEmpty();
    }

    private void offer(ToolCall call) {
        if (settled.contains(call.id()) || dead(call)) {
            return;
        }
        if (!ours.test(call.name())) {
            foreign.add(call.id());
            return;
        }
        if (seen.add(call.id())) {
            route(call);
        }
    }

    private void route(ToolCall call) {
        Verdict verdict = verdicts.get(call.id());
        if (call.permission() == Permission.DENY || verdict == Verdict.DENY) {
            settled.add(call.id());
        } else if (call.permission() == Permission.ALLOW || verdict == Verdict.ALLOW) {
            ready.put(call.id(), new Task.Run(call, new Cancellation()));
        } else {
            held.put(call.id(), call);
        }
    }

    private void decide(String id, Verdict verdict) {
        verdicts.put(id, verdict);
        ToolCall call = held.remove(id);
        if (call != null) {
            route(call);
        }
    }

    private Optional<Cancellation> settle(String id) {
        settled.add(id);
        held.remove(id);
        ready.remove(id);
        unposted.remove(id);
        foreign.remove(id);
        return running().filter(_ -> isRunning(call -> call.id().equals(id)));
    }

    private Optional<Cancellation> interrupt(Optional<String> thread) {
        for (ToolCall call : List.copyOf(held.values())) {
            if (call.hitBy(thread)) {
                held.remove(call.id());
                settled.add(call.id());
            }
        }
        ready.replaceAll((_, task) ->
                task instanceof Task.Run run && run.call().hitBy(thread)
                        ? new Task.Post(run.call(), interrupted(run.call()))
                        : task);
        return running().filter(_ -> isRunning(call -> call.hitBy(thread)));
    }

    private static ToolResult interrupted(ToolCall call) {
        return ToolResult.error(call.name() + ": interrupted");
    }

    private Optional<Cancellation> killThread(String thread) {
        deadThreads.add(thread);
        held.values().removeIf(this::dead);
        ready.values().removeIf(task -> dead(task.call()));
        unposted.values().removeIf(post -> dead(post.call()));
        return running().filter(_ -> isRunning(this::dead));
    }

    private boolean isRunning(Predicate<ToolCall> condition) {
        Running current = running;
        return current != null && condition.test(current.call);
    }
}
