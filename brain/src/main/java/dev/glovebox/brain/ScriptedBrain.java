package dev.glovebox.brain;

import dev.glovebox.protocol.JsonException;
import dev.glovebox.protocol.brain.Brain;
import dev.glovebox.protocol.event.AgentEvent;
import dev.glovebox.protocol.event.ContentBlock;
import dev.glovebox.protocol.event.Event;
import dev.glovebox.protocol.event.SessionEvent;
import dev.glovebox.protocol.event.UserEvent;
import dev.glovebox.protocol.session.ModelUsage;
import java.util.List;
import java.util.Optional;

/// An agent that does what the last message tells it, step by step: for tests, demos and worker
/// conformance. The format is in this room's README.
///
/// Where it stands in its script is counted from the events since that message, never remembered:
/// each `agent.message`, tool call and `session.error` of its own passes one act. So a control
/// plane that crashed after any of them goes on at the next, and nothing is said or called twice. A
/// later message replaces the script; an interrupt after it ends the turn.
///
/// Permissions and interrupts are the control plane's for this brain exactly as for a model: a
/// denied call counts as made, and its answer is not looked at.
public final class ScriptedBrain implements Brain {
    /// The model id that selects this brain.
    public static final String MODEL_ID = "glovebox-script";

    /// A brain for any number of sessions at once.
    public ScriptedBrain() {}

    @Override
    public Next step(Request request, Output output) throws InterruptedException {
        List<Event> history = request.history();
        int start = lastMessage(history);
        List<Event> since = history.subList(start + 1, history.size());
        if (start < 0 || since.stream().anyMatch(UserEvent.Interrupt.class::isInstance)) {
            return new Next.EndTurn();
        }
        output.usage(ModelUsage.NONE);
        Script script;
        try {
            script = Script.of((UserEvent.Message) history.get(start));
        } catch (JsonException e) {
            return explain(e, since, output);
        }
        return act(script.acts(), position(script.acts(), since), output);
    }

    private static int lastMessage(List<Event> history) {
        for (int i = history.size() - 1; i >= 0; i--) {
            if (history.get(i) instanceof UserEvent.Message) {
                return i;
            }
        }
        return -1;
    }

    private static Next explain(JsonException why, List<Event> since, Output output) {
        if (since.stream().noneMatch(AgentEvent.Message.class::isInstance)) {
            say(
                    "I am the scripted agent: I do what the JSON of a message says, such as\n"
                            + Script.EXAMPLE
                            + "\nThis message is not such a script: "
                            + why.getMessage(),
                    output);
        }
        return new Next.EndTurn();
    }

    /// The number of the first act that the events do not show as done. A pause shows in no event,
    /// so it is done when something after it is.
    private static int position(List<Script.Act> acts, List<Event> since) {
        int position = 0;
        for (Event event : since) {
            int next = position;
            while (next < acts.size() && acts.get(next) instanceof Script.Pause) {
                next++;
            }
            if (next < acts.size() && shows(event, acts.get(next))) {
                position = next + 1;
            }
        }
        return position;
    }

    private static boolean shows(Event event, Script.Act act) {
        return switch (act) {
            case Script.Say _ -> event instanceof AgentEvent.Message;
            case Script.Call _ ->
                    event instanceof AgentEvent.ToolUse
                            || event instanceof AgentEvent.CustomToolUse;
            case Script.Fail _ -> event instanceof SessionEvent.Failed;
            case Script.Pause _, Script.Refuse _ -> false;
        };
    }

    private static Next act(List<Script.Act> acts, int from, Output output)
            throws InterruptedException {
        for (int i = from; i < acts.size(); i++) {
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            switch (acts.get(i)) {
                case Script.Say(String text) -> say(text, output);
                case Script.Pause(long millis) -> Thread.sleep(millis);
                case Script.Call call -> {
                    output.toolUse(call.tool(), call.input());
                    if (!(i + 1 < acts.size()
                            && acts.get(i + 1) instanceof Script.Call next
                            && next.group() == call.group())) {
                        return new Next.AwaitResults();
                    }
                }
                case Script.Fail(String type, Retry retry) -> {
                    return new Next.Failed(type, "the script says so", retry);
                }
                case Script.Refuse(String category) -> {
                    return new Next.Refusal(
                            Optional.of(category), Optional.of("the script says so"));
                }
            }
        }
        return new Next.EndTurn();
    }

    /// Line by line as previews, then whole, as a model's text comes.
    private static void say(String text, Output output) {
        int start = 0;
        while (start < text.length()) {
            int end = text.indexOf('\n', start) + 1;
            end = end == 0 ? text.length() : end;
            output.textDelta(text.substring(start, end));
            start = end;
        }
        output.message(ContentBlock.text(text));
    }
}
