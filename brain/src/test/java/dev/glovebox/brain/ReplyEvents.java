package dev.glovebox.brain;

import dev.glovebox.protocol.Json;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.node.ObjectNode;

/// The stream events of one model reply, written by hand as the Messages API sends them.
final class ReplyEvents {
    private final List<ObjectNode> events = new ArrayList<>();
    private int index;

    ReplyEvents() {
        ObjectNode start = Json.object().put("type", "message_start");
        ObjectNode message = start.putObject("message");
        message.put("id", "msg_1").put("type", "message").put("role", "assistant");
        message.put("model", "claude-test").putArray("content");
        message.putNull("stop_reason").putNull("stop_sequence");
        message.putObject("usage")
                .put("input_tokens", 25)
                .put("cache_creation_input_tokens", 7)
                .put("cache_read_input_tokens", 11)
                .put("output_tokens", 1);
        events.add(start);
        events.add(Json.object().put("type", "ping"));
    }

    ReplyEvents text(String... pieces) {
        begin(Json.object().put("type", "text").put("text", ""));
        for (String piece : pieces) {
            delta(Json.object().put("type", "text_delta").put("text", piece));
        }
        return end();
    }

    ReplyEvents thinking() {
        begin(Json.object().put("type", "thinking").put("thinking", "").put("signature", ""));
        delta(Json.object().put("type", "thinking_delta").put("thinking", "hm"));
        delta(Json.object().put("type", "signature_delta").put("signature", "c2ln"));
        return end();
    }

    /// A call whose input arrives in pieces.
    ReplyEvents call(String id, String name, String... inputPieces) {
        ObjectNode block = Json.object().put("type", "tool_use").put("id", id).put("name", name);
        block.putObject("input");
        begin(block);
        delta(Json.object().put("type", "input_json_delta").put("partial_json", ""));
        for (String piece : inputPieces) {
            delta(Json.object().put("type", "input_json_delta").put("partial_json", piece));
        }
        return end();
    }

    /// The whole reply.
    List<ObjectNode> stop(String reason) {
        return stop(reason, Json.object());
    }

    List<ObjectNode> stop(String reason, ObjectNode more) {
        ObjectNode event = Json.object().put("type", "message_delta");
        event.putObject("delta").put("stop_reason", reason).putNull("stop_sequence").setAll(more);
        event.putObject("usage").put("output_tokens", 42);
        events.add(event);
        events.add(Json.object().put("type", "message_stop"));
        return events;
    }

    /// What there is so far, without an end.
    List<ObjectNode> unfinished() {
        return events;
    }

    private void begin(ObjectNode block) {
        ObjectNode event = Json.object().put("type", "content_block_start").put("index", index);
        event.set("content_block", block);
        events.add(event);
    }

    private void delta(ObjectNode delta) {
        ObjectNode event = Json.object().put("type", "content_block_delta").put("index", index);
        event.set("delta", delta);
        events.add(event);
    }

    private ReplyEvents end() {
        events.add(Json.object().put("type", "content_block_stop").put("index", index++));
        return this;
    }
}
