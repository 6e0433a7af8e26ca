package dev.glovebox.server.session;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.event.ContentBlock;
import java.util.List;
import tools.jackson.databind.node.ObjectNode;

/// Makes events as JSON, without the id and the time that the log gives them.
final class Events {
    private Events() {}

    static ObjectNode of(String type) {
        return Json.object().put("type", type);
    }

    static ObjectNode withContent(String type, List<ContentBlock> content) {
        ObjectNode event = of(type);
        event.set("content", Json.toTree(content));
        return event;
    }

    /// The answer that closes a call from here.
    static ObjectNode answer(Calls.Kind kind, String callId, String text) {
        return switch (kind) {
            case SANDBOX -> answer("user.tool_result", "tool_use_id", callId, text);
            case CUSTOM -> answer("user.custom_tool_result", "custom_tool_use_id", callId, text);
        };
    }

    /// The platform's own word on a call that was not permitted.
    static ObjectNode refusal(String callId, String text) {
        return answer("agent.tool_result", "tool_use_id", callId, text);
    }

    private static ObjectNode answer(String type, String reference, String callId, String text) {
        return withContent(type, ContentBlock.text(text))
                .put(reference, callId)
                .put("is_error", true);
    }
}
