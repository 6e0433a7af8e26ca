package dev.glovebox.spec.lab;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;

/// What the scripted agent says and calls, step by step: the text of a `user.message` for the model
/// `glovebox-script`.
public final class Script {
    private final List<Map<String, Object>> steps = new ArrayList<>();

    /// The agent says something.
    public Script say(String text) {
        steps.add(Map.of("say", text));
        return this;
    }

    /// The agent calls a tool and waits for its result.
    public Script tool(String name, Object input) {
        steps.add(Map.of("tool", name, "input", input));
        return this;
    }

    /// The agent runs a command.
    public Script bash(String command) {
        return tool("bash", Map.of("command", command));
    }

    /// The message's text.
    public String text() {
        return JsonMapper.shared().writeValueAsString(Map.of("steps", steps));
    }

    /// The event a client sends.
    public Map<String, Object> message() {
        return Map.of(
                "type", "user.message", "content", List.of(Map.of("type", "text", "text", text())));
    }
}
