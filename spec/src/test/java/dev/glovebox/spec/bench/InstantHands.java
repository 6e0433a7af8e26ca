package dev.glovebox.spec.bench;

import dev.glovebox.spec.lab.Desk;
import dev.glovebox.spec.lab.Talk;
import java.util.List;
import java.util.Map;

/// A worker that does nothing: answers each call of one session at once with a fixed text. What
/// remains is the control plane, the wire and the watcher, which are in the figures of every
/// worker.
final class InstantHands implements AutoCloseable {
    private final Observer calls;

    InstantHands(Desk desk, Talk talk) {
        calls =
                new Observer(
                        desk.baseUrl(),
                        desk.apiKey(),
                        talk.id(),
                        call ->
                                talk.send(
                                        Map.of(
                                                "type",
                                                "user.tool_result",
                                                "tool_use_id",
                                                call,
                                                "content",
                                                List.of(Map.of("type", "text", "text", "call")))));
    }

    @Override
    public void close() {
        calls.close();
    }
}
