package dev.glovebox.server.session;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.ProblemException;
import dev.glovebox.server.http.Fields;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.node.ObjectNode;

/// An event as a client sent it, checked in itself; whether the session takes it is another matter
/// ([Inbox]).
///
/// Members that the type does not have are refused, so that a misspelt `is_error` is not taken for
/// success. Inside content blocks extra members are kept, since blocks grow with every model.
sealed interface ClientEvent {
    /// Most events in one request.
    int MAX_EVENTS = 100;

    /// Most content blocks of one event.
    int MAX_BLOCKS = 1000;

    /// What is stored, without id and time.
    ObjectNode json();

    /// Words for the agent.
    record Message(ObjectNode json) implements ClientEvent {}

    /// Words about the task, from the operator.
    record SystemMessage(ObjectNode json) implements ClientEvent {}

    /// Stop.
    record Interrupt(ObjectNode json) implements ClientEvent {}

    /// A person's word on a call.
    record Confirmation(
            ObjectNode json, String path, String callId, boolean allowed, Optional<String> why)
            implements ClientEvent {}

    /// The outcome of a call.
    record Result(ObjectNode json, String path, Calls.Kind kind, String callId)
            implements ClientEvent {}

    /// Reads the events of a request.
    static List<ClientEvent> all(Fields body, String name, int max) {
        List<ClientEvent> events = new ArrayList<>();
        for (Fields sent : body.objects(name, max)) {
            events.add(of(sent));
        }
        for (int i = 0; i < events.size(); i++) {
            if (events.get(i) instanceof SystemMessage) {
                boolean follows =
                        i > 0
                                && (events.get(i - 1) instanceof Message
                                        || events.get(i - 1) instanceof Result);
                if (i != events.size() - 1 || !follows) {
                    throw body.refuse(
                            name,
                            "a system.message must be the last event, right after a user.message"
                                    + " or a tool result");
                }
            }
        }
        return events;
    }

    private static ClientEvent of(Fields sent) {
        String type = sent.text("type");
        return switch (type) {
            case "user.message" -> message(sent.only(Set.of("type", "content")));
            case "system.message" -> systemMessage(sent.only(Set.of("type", "content")));
            case "user.interrupt" -> interrupt(sent.only(Set.of("type", "session_thread_id")));
            case "user.tool_confirmation" ->
                    confirmation(
                            sent.only(Set.of("type", "tool_use_id", "result", "deny_message")));
            case "user.tool_result" ->
                    result(
                            sent.only(Set.of("type", "tool_use_id", "content", "is_error")),
                            Calls.Kind.SANDBOX,
                            "tool_use_id");
            case "user.custom_tool_result" ->
                    result(
                            sent.only(Set.of("type", "custom_tool_use_id", "content", "is_error")),
                            Calls.Kind.CUSTOM,
                            "custom_tool_use_id");
            case "user.define_outcome" ->
                    throw sent.refuse("type", "outcomes are not supported by this control plane");
            default -> throw sent.refuse("type", "a client cannot send events of this type");
        };
    }

    private static ClientEvent message(Fields sent) {
        ObjectNode json = Events.of("user.message");
        json.set("content", content(sent, Set.of("text", "image", "document"), true));
        return new Message(json);
    }

    private static ClientEvent systemMessage(Fields sent) {
        ObjectNode json = Events.of("system.message");
        json.set("content", content(sent, Set.of("text"), true));
        return new SystemMessage(json);
    }

    private static ClientEvent interrupt(Fields sent) {
        if (sent.optionalText("session_thread_id").isPresent()) {
            throw sent.refuse("session_thread_id", "the session has no such thread");
        }
        return new Interrupt(Events.of("user.interrupt"));
    }

    private static ClientEvent confirmation(Fields sent) {
        String result = sent.text("result");
        Optional<String> why = sent.optionalText("deny_message");
        boolean allowed = result.equals("allow");
        if (!allowed && !result.equals("deny")) {
            throw sent.refuse("result", "must be allow or deny");
        }
        if (allowed && why.isPresent()) {
            throw sent.refuse("deny_message", "is only for a result of deny");
        }
        String callId = sent.text("tool_use_id");
        ObjectNode json =
                Events.of("user.tool_confirmation")
                        .put("tool_use_id", callId)
                        .put("result", result);
        why.ifPresent(text -> json.put("deny_message", text));
        return new Confirmation(json, sent.path("tool_use_id"), callId, allowed, why);
    }

    private static ClientEvent result(Fields sent, Calls.Kind kind, String reference) {
        String callId = sent.text(reference);
        ObjectNode json =
                Events.of(sent.text("type"))
                        .put(reference, callId)
                        .put("is_error", sent.flag("is_error"));
        json.set(
                "content",
                content(sent, Set.of("text", "image", "document", "search_result"), false));
        return new Result(json, sent.path(reference), kind, callId);
    }

    private static tools.jackson.databind.node.ArrayNode content(
            Fields sent, Set<String> types, boolean required) {
        List<Fields> blocks = sent.objects("content", MAX_BLOCKS);
        if (required && blocks.isEmpty()) {
            throw sent.refuse("content", "must have at least one block");
        }
        var array = Json.object().putArray("content");
        for (Fields block : blocks) {
            String type = block.text("type");
            if (!types.contains(type)) {
                throw block.refuse("type", "must be one of " + types.stream().sorted().toList());
            }
            NEEDED.getOrDefault(type, List.of()).forEach(name -> need(block, name));
            if (type.equals("text")) {
                block.optionalText("text");
            }
            array.add(block.object());
        }
        return array;
    }

    /// What a block of each type cannot do without.
    Map<String, List<String>> NEEDED =
            Map.of(
                    "text", List.of("text"),
                    "image", List.of("source"),
                    "document", List.of("source"),
                    "search_result", List.of("source", "title", "content"));

    private static void need(Fields block, String name) {
        if (!block.has(name) || block.isNull(name)) {
            throw ProblemException.invalid(block.path(name) + ": is required");
        }
    }
}
