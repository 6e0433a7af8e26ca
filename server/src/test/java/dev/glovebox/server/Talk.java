package dev.glovebox.server;

import dev.glovebox.protocol.Json;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import org.sqlite.SQLiteDataSource;
import tools.jackson.databind.JsonNode;

/// What tests say to a [TestDesk] about sessions.
final class Talk {
    static final Duration DEADLINE = Duration.ofSeconds(60);

    private final TestDesk desk;

    Talk(TestDesk desk) {
        this.desk = desk;
    }

    static String agentBody(String id, String policies) {
        return """
        {"type":"agent","id":"%s","version":1,"name":"tester","description":null,
         "model":{"id":"lines"},"system":null,"mcp_servers":[],"skills":[],"multiagent":null,
         "execution_identity":{"type":"service_account"},"metadata":{},
         "created_at":"2026-01-01T00:00:00.000000Z","updated_at":"2026-01-01T00:00:00.000000Z",
         "archived_at":null,
         "tools":[{"type":"agent_toolset_20260401",
           "default_config":{"enabled":true,"permission_policy":{"type":"always_allow"}},
           "configs":[%s]},
          {"type":"custom","name":"ask_owner","description":"d","input_schema":{"type":"object"}}]}
        """
                .formatted(id, policies);
    }

    /// Puts an agent into the store; agents have tests of their own.
    void agent(String id) {
        String ask =
                """
                {"type":"write","name":"write","enabled":true,
                 "permission_policy":{"type":"always_ask"}},
                {"type":"edit","name":"edit","enabled":false,
                 "permission_policy":{"type":"always_allow"}}
                """;
        SQLiteDataSource source = new SQLiteDataSource();
        source.setUrl("jdbc:sqlite:" + desk.directory().resolve("control.db"));
        try (var connection = source.getConnection();
                var agent =
                        connection.prepareStatement(
                                "INSERT INTO agents VALUES (?, 1, ?, ?, null)");
                var version =
                        connection.prepareStatement(
                                "INSERT INTO agent_versions VALUES (?, 1, ?, ?)")) {
            String time = "2026-01-01T00:00:00.000000Z";
            agent.setString(1, id);
            agent.setString(2, time);
            agent.setString(3, time);
            agent.execute();
            version.setString(1, id);
            version.setString(2, time);
            version.setString(3, agentBody(id, ask));
            version.execute();
        } catch (java.sql.SQLException e) {
            throw new AssertionError(e);
        }
    }

    /// Creates a session of agent `agent_t` on the ready-made environment.
    String session() {
        return desk.post("/v1/sessions", creation("")).ok().path("id").stringValue();
    }

    /// Creates a session that starts at once.
    String session(String lines) {
        return desk.post("/v1/sessions", creation(",\"initial_events\":[" + message(lines) + "]"))
                .ok()
                .path("id")
                .stringValue();
    }

    String creation(String more) {
        return "{\"agent\":\"agent_t\",\"environment_id\":\""
                + desk.environment()
                + "\""
                + more
                + "}";
    }

    static String message(String lines) {
        return "{\"type\":\"user.message\",\"content\":[{\"type\":\"text\",\"text\":"
                + Json.write(lines)
                + "}]}";
    }

    static String result(String call, String text) {
        return "{\"type\":\"user.tool_result\",\"tool_use_id\":\""
                + call
                + "\",\"content\":[{\"type\":\"text\",\"text\":"
                + Json.write(text)
                + "}]}";
    }

    TestDesk.Answer send(String session, String... events) {
        return desk.post(
                "/v1/sessions/" + session + "/events",
                "{\"events\":[" + String.join(",", events) + "]}");
    }

    List<JsonNode> events(String session) {
        return desk.get("/v1/sessions/" + session + "/events")
                .ok()
                .path("data")
                .valueStream()
                .toList();
    }

    List<String> types(String session) {
        return events(session).stream().map(e -> e.path("type").stringValue()).toList();
    }

    /// The ids of the events of a type.
    List<String> ids(String session, String type) {
        return events(session).stream()
                .filter(e -> e.path("type").asString("").equals(type))
                .map(e -> e.path("id").stringValue())
                .toList();
    }

    JsonNode get(String session) {
        return desk.get("/v1/sessions/" + session).ok();
    }

    /// Waits until the last event is an idle for this reason, and gives it.
    JsonNode awaitIdle(String session, String reason) {
        return awaitLast(
                session,
                e ->
                        e.path("type").asString("").equals("session.status_idle")
                                && e.path("stop_reason").path("type").asString("").equals(reason));
    }

    JsonNode awaitLast(String session, Predicate<JsonNode> wanted) {
        until(
                () -> {
                    List<JsonNode> all = events(session);
                    return !all.isEmpty() && wanted.test(all.getLast());
                },
                () -> events(session).toString());
        return events(session).getLast();
    }

    static void until(BooleanSupplier condition, java.util.function.Supplier<String> state) {
        Instant end = Instant.now().plus(DEADLINE);
        while (!condition.getAsBoolean()) {
            if (Instant.now().isAfter(end)) {
                throw new AssertionError("not within " + DEADLINE + ": " + state.get());
            }
            java.util.concurrent.locks.LockSupport.parkNanos(2_000_000);
        }
    }

    String work(String path) {
        return "/v1/environments/" + desk.environment() + "/work" + path;
    }

    /// Polls once with the environment key.
    JsonNode poll() {
        return desk.get(work("/poll"), desk.environmentKey()).ok();
    }
}
