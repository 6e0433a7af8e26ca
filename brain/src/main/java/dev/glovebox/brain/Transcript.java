package dev.glovebox.brain;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.event.AgentEvent;
import dev.glovebox.protocol.event.ContentBlock;
import dev.glovebox.protocol.event.Event;
import dev.glovebox.protocol.event.SpanEvent;
import dev.glovebox.protocol.event.UserEvent;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// A session's history as the `messages` of a Messages API request.
///
/// The two are shaped differently. A history is a flat log in the order things happened: a person's
/// message may stand between a call and its result, the results of parallel calls come in any
/// order, and a refused call's answer may precede the next call of the same reply. The Messages API
/// takes strictly alternating turns, in which the user turn after a set of calls begins with
/// exactly one result for each. So this reads the log as *rounds*: what the agent says and calls
/// until every call of it is answered and it speaks again, then the answers in the order of the
/// calls, then whatever people said meanwhile. Where the log has model request spans, the begin of
/// one is what parts two replies.
///
/// The id of a call is its event's id. A call without an answer gets an error in place of one: a
/// confirmation that denied it says so, anything else is "not answered". Blocks that the API
/// refuses (blank texts, redacted content) are left out. Session events carry nothing for a model.
final class Transcript {
    private final ArrayNode messages = Json.object().putArray("messages");
    private final List<ObjectNode> said = new ArrayList<>();
    private final Map<String, ObjectNode> answers = new LinkedHashMap<>();
    private final List<ObjectNode> heard = new ArrayList<>();
    private final Map<String, String> denials = new LinkedHashMap<>();
    private boolean spans;
    private boolean newReply;

    private Transcript() {}

    /// The `messages` array, ready to send; empty when nobody has said anything.
    static ArrayNode messages(List<Event> history) {
        Transcript transcript = new Transcript();
        history.forEach(transcript::read);
        transcript.close();
        return transcript.messages;
    }

    private void read(Event event) {
        switch (event) {
            case UserEvent.Message message -> heard.addAll(blocks(message.content()));
            case UserEvent.ToolConfirmation no when no.result() == UserEvent.Verdict.DENY ->
                    denials.put(no.toolUseId(), no.denyMessage().orElse(""));
            case UserEvent.ToolResult r -> answer(r.toolUseId(), r.content(), r.isError());
            case UserEvent.CustomToolResult r ->
                    answer(r.customToolUseId(), r.content(), r.isError());
            case AgentEvent.ToolResult r -> answer(r.toolUseId(), r.content(), r.isError());
            case AgentEvent.Message message -> {
                List<ObjectNode> words = blocks(message.content());
                if (!words.isEmpty()) {
                    agentActs();
                    said.addAll(words);
                }
            }
            case AgentEvent.ToolUse use when use.id() != null ->
                    call(use.id(), use.name(), use.input());
            case AgentEvent.CustomToolUse use when use.id() != null ->
                    call(use.id(), use.name(), use.input());
            case SpanEvent.ModelRequestStart _ -> {
                spans = true;
                newReply = true;
            }
            default -> {}
        }
    }

    /// The agent does something: a new turn of its own, unless it belongs to the reply before,
    /// calls of that are open, or nobody has said a word since.
    private void agentActs() {
        boolean sameReply = spans && !newReply;
        newReply = false;
        boolean open = said.stream().anyMatch(b -> isCall(b) && !answers.containsKey(id(b)));
        if (!sameReply && !open && (!heard.isEmpty() || !answers.isEmpty())) {
            close();
        }
    }

    private void call(String id, String name, ObjectNode input) {
        agentActs();
        ObjectNode block = Json.object().put("type", "tool_use").put("id", id).put("name", name);
        block.set("input", input);
        said.add(block);
    }

    /// A second answer to a call is dropped, and so is one to a call that was never made.
    private void answer(String id, List<ContentBlock> content, boolean isError) {
        if (said.stream().noneMatch(b -> isCall(b) && id(b).equals(id))) {
            return;
        }
        answers.computeIfAbsent(id, _ -> result(id, blocks(content), isError));
    }

    /// Ends the round: an assistant turn if the agent did anything, then a user turn if there is
    /// anything to hear.
    private void close() {
        List<ObjectNode> results =
                said.stream()
                        .filter(Transcript::isCall)
                        .map(b -> answers.computeIfAbsent(id(b), this::unanswered))
                        .toList();
        turn("assistant", said);
        List<ObjectNode> reply = new ArrayList<>(results);
        reply.addAll(heard);
        turn("user", reply);
        said.clear();
        answers.clear();
        heard.clear();
    }

    private void turn(String role, List<ObjectNode> content) {
        if (!content.isEmpty()) {
            messages.addObject().put("role", role).putArray("content").addAll(content);
        }
    }

    private ObjectNode unanswered(String id) {
        String why = denials.get(id);
        String text = "The call was not answered.";
        if (why != null) {
            text = ("Permission to use this tool was denied. " + why).strip();
        }
        return result(id, blocks(ContentBlock.text(text)), true);
    }

    private static ObjectNode result(String id, List<ObjectNode> content, boolean isError) {
        ObjectNode block =
                Json.object()
                        .put("type", "tool_result")
                        .put("tool_use_id", id)
                        .put("is_error", isError);
        if (!content.isEmpty()) {
            block.putArray("content").addAll(content);
        }
        return block;
    }

    private static List<ObjectNode> blocks(List<ContentBlock> content) {
        List<ObjectNode> blocks = new ArrayList<>();
        for (ContentBlock block : content) {
            switch (block) {
                case ContentBlock.Text(String text) when !text.isBlank() ->
                        blocks.add(Json.object().put("type", "text").put("text", text));
                case ContentBlock.Other other when !other.type().equals("redacted") ->
                        blocks.add(other.json());
                default -> {}
            }
        }
        return blocks;
    }

    private static boolean isCall(ObjectNode block) {
        return block.path("type").asString("").equals("tool_use");
    }

    private static String id(ObjectNode block) {
        return block.path("id").asString("");
    }
}
