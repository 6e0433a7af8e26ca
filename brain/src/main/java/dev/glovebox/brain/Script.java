package dev.glovebox.brain;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.JsonException;
import dev.glovebox.protocol.brain.Brain.Retry;
import dev.glovebox.protocol.event.ContentBlock;
import dev.glovebox.protocol.event.UserEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// What a message tells the [ScriptedBrain] to do: a flat list of acts, read from
/// `{"steps":[...]}`.
///
/// @param acts in order; the calls of one parallel step follow each other with the same group
record Script(List<Act> acts) {
    /// Shown to whoever sent something else.
    static final String EXAMPLE =
            "{\"steps\":[{\"say\":\"looking\"},{\"tool\":\"bash\",\"input\":{\"command\":\"ls\"}},"
                    + "{\"parallel\":[{\"tool\":\"read\",\"input\":{\"file_path\":\"a.txt\"}},"
                    + "{\"tool\":\"glob\",\"input\":{\"pattern\":\"*\"}}]},{\"say\":\"done\"}]}";

    /// Most acts of a script.
    static final int MAX_ACTS = 10_000;

    /// Longest pause.
    static final long MAX_PAUSE_MS = 60_000;

    /// One thing to do.
    sealed interface Act {}

    /// One `agent.message`.
    record Say(String text) implements Act {}

    /// One tool call.
    ///
    /// @param group the number of its step; calls of one group are made at once
    record Call(int group, String tool, ObjectNode input) implements Act {}

    /// Time that passes, as a model's thinking does; nothing is visible of it.
    record Pause(long millis) implements Act {}

    /// A failed model request.
    record Fail(String errorType, Retry retry) implements Act {}

    /// The model refuses, which ends the turn.
    record Refuse(String category) implements Act {}

    Script {
        acts = List.copyOf(acts);
    }

    /// Reads the script of a message.
    ///
    /// @throws JsonException when the message's text is not a script; says where it is wrong
    static Script of(UserEvent.Message message) {
        String text =
                message.content().stream()
                        .map(b -> b instanceof ContentBlock.Text(String t) ? t : "")
                        .collect(Collectors.joining());
        ObjectNode script = Json.read(text, ObjectNode.class);
        only(script, "script", "steps");
        JsonNode steps = script.path("steps");
        if (!steps.isArray()) {
            throw new JsonException("steps: must be an array");
        }
        List<Act> acts = new ArrayList<>();
        for (int i = 0; i < steps.size(); i++) {
            String place = "steps[" + i + "]";
            read(object(steps.get(i), place), place, i, acts);
            if (acts.size() > MAX_ACTS) {
                throw new JsonException("steps: at most " + MAX_ACTS + " acts");
            }
        }
        return new Script(acts);
    }

    private static void read(ObjectNode step, String place, int group, List<Act> acts) {
        if (step.has("say")) {
            only(step, place, "say");
            acts.add(new Say(text(step, place, "say")));
        } else if (step.has("tool")) {
            acts.add(call(step, place, group));
        } else if (step.has("parallel")) {
            only(step, place, "parallel");
            JsonNode calls = step.get("parallel");
            if (!calls.isArray() || calls.isEmpty()) {
                throw new JsonException(place + ".parallel: must be an array of calls");
            }
            for (int i = 0; i < calls.size(); i++) {
                String inner = place + ".parallel[" + i + "]";
                acts.add(call(object(calls.get(i), inner), inner, group));
            }
        } else if (step.has("pause_ms")) {
            only(step, place, "pause_ms");
            acts.add(new Pause(millis(step, place)));
        } else if (step.has("fail")) {
            only(step, place, "fail", "retry");
            acts.add(new Fail(text(step, place, "fail"), retry(step, place)));
        } else if (step.has("refuse")) {
            only(step, place, "refuse");
            acts.add(new Refuse(text(step, place, "refuse")));
        } else {
            throw new JsonException(
                    place + ": must have one of say, tool, parallel, pause_ms, fail, refuse");
        }
    }

    private static Call call(ObjectNode step, String place, int group) {
        only(step, place, "tool", "input");
        JsonNode input = step.has("input") ? step.get("input") : Json.object();
        return new Call(group, text(step, place, "tool"), object(input, place + ".input"));
    }

    private static long millis(ObjectNode step, String place) {
        JsonNode value = step.get("pause_ms");
        if (!value.isInt() || value.intValue() < 0 || value.intValue() > MAX_PAUSE_MS) {
            throw new JsonException(place + ".pause_ms: must be 0 to " + MAX_PAUSE_MS);
        }
        return value.intValue();
    }

    private static Retry retry(ObjectNode step, String place) {
        String word = step.has("retry") ? text(step, place, "retry") : "exhausted";
        return Optional.ofNullable(RETRIES.get(word.toLowerCase(Locale.ROOT)))
                .orElseThrow(() ->
                        new JsonException(
                                place + ".retry: must be retrying, exhausted or" + " terminal"));
    }

    private static final Map<String, Retry> RETRIES =
            Map.of(
                    "retrying", Retry.RETRYING,
                    "exhausted", Retry.EXHAUSTED,
                    "terminal", Retry.TERMINAL);

    private static String text(ObjectNode step, String place, String name) {
        JsonNode value = step.get(name);
        if (!value.isString() || value.stringValue().isEmpty()) {
            throw new JsonException(place + "." + name + ": must be a non-empty string");
        }
        return value.stringValue();
    }

    private static ObjectNode object(JsonNode node, String place) {
        if (node instanceof ObjectNode object) {
            return object;
        }
        throw new JsonException(place + ": must be an object");
    }

    private static void only(ObjectNode object, String place, String... names) {
        for (String name : object.propertyNames()) {
            if (!List.of(names).contains(name)) {
                throw new JsonException(place + ": unknown member " + name);
            }
        }
    }
}
