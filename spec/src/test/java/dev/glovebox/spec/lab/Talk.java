package dev.glovebox.spec.lab;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.awaitility.Awaitility;
import tools.jackson.databind.JsonNode;

/// One session on the desk, as its owner sees it.
public final class Talk {
    private static final Duration POLL = Duration.ofMillis(20);

    private final Wire wire;
    private final String id;

    /// @param id the session's id
    public Talk(Wire wire, String id) {
        this.wire = wire;
        this.id = id;
    }

    /// One call of the agent with what came back.
    ///
    /// @param text the text blocks of the result, joined; empty while there is none
    /// @param state `open`, `ok` or `error`
    public record Call(String id, String tool, JsonNode input, String text, String state) {}

    /// The session's id.
    public String id() {
        return id;
    }

    /// The agent does what the script says.
    public Talk say(Script script) {
        return send(script.message());
    }

    /// Sends one event.
    public Talk send(Map<String, ?> event) {
        wire.post("/v1/sessions/" + id + "/events", Map.of("events", List.of(event))).ok();
        return this;
    }

    /// The session object.
    public JsonNode session() {
        return wire.get("/v1/sessions/" + id).ok();
    }

    /// The history.
    public List<JsonNode> events() {
        List<JsonNode> all = new ArrayList<>();
        String page = "";
        do {
            JsonNode reply =
                    wire.get("/v1/sessions/" + id + "/events?limit=1000&page=" + page).ok();
            reply.get("data").forEach(all::add);
            page = reply.path("next_page").asString("");
        } while (!page.isEmpty());
        return all;
    }

    /// Waits until so many turns of this session have ended by themselves.
    public Talk awaitTurns(int turns, Duration deadline) {
        return awaitHistory(
                deadline, events -> events.stream().filter(Talk::endOfTurn).count() >= turns);
    }

    /// Waits until the session waits for an answer to a call.
    public Talk awaitAction(Duration deadline) {
        return awaitHistory(
                deadline,
                events ->
                        !events.isEmpty()
                                && events.getLast()
                                        .path("stop_reason")
                                        .path("type")
                                        .asString("")
                                        .equals("requires_action"));
    }

    /// Waits until the history fits.
    public Talk awaitHistory(Duration deadline, Predicate<List<JsonNode>> fits) {
        Awaitility.await("history of " + id)
                .atMost(deadline)
                .pollInterval(POLL)
                .until(this::events, fits);
        return this;
    }

    /// The agent's calls with their results, in the order of the calls.
    public List<Call> calls() {
        Map<String, Call> calls = new LinkedHashMap<>();
        for (JsonNode event : events()) {
            switch (event.get("type").asString()) {
                case "agent.tool_use" -> {
                    String call = event.get("id").asString();
                    calls.put(
                            call,
                            new Call(
                                    call,
                                    event.get("name").asString(),
                                    event.get("input"),
                                    "",
                                    "open"));
                }
                case "user.tool_result", "agent.tool_result" ->
                        calls.computeIfPresent(
                                event.get("tool_use_id").asString(),
                                (_, call) -> answered(call, event));
                default -> {}
            }
        }
        return List.copyOf(calls.values());
    }

    private static Call answered(Call call, JsonNode result) {
        StringBuilder text = new StringBuilder();
        result.path("content").forEach(block -> text.append(block.path("text").asString("")));
        String state = result.path("is_error").asBoolean(false) ? "error" : "ok";
        return new Call(call.id(), call.tool(), call.input(), text.toString(), state);
    }

    private static boolean endOfTurn(JsonNode event) {
        return event.get("type").asString().equals("session.status_idle")
                && event.path("stop_reason").path("type").asString("").equals("end_turn");
    }
}
