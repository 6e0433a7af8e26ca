package dev.glovebox.spec.hostile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.spec.lab.Desk;
import dev.glovebox.spec.lab.Talk;
import dev.glovebox.spec.lab.Wire;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.JsonNode;

/// Requests no SDK sends: each is refused in words its sender can use, and the store is as before.
class BadRequestsIT {
    private static Desk desk;
    private static Wire wire;
    private static Talk talk;

    @BeforeAll
    static void open() {
        desk = Desk.open();
        wire = desk.wire();
        talk = desk.talk();
    }

    @AfterAll
    static void close() {
        desk.close();
    }

    /// @param word what the message has to name
    private record Bad(String name, String path, String body, int status, String word) {}

    private static Stream<Bad> table() {
        String events = "/v1/sessions/" + talk.id() + "/events";
        String environment = "\"environment_id\":\"" + desk.environmentId() + "\"";
        return Stream.of(
                new Bad("malformed JSON", "/v1/agents", "{\"name\":", 400, ""),
                new Bad("not an object", "/v1/agents", "[1,2]", 400, ""),
                new Bad("empty body", "/v1/agents", "", 400, ""),
                new Bad("two values", "/v1/agents", "{\"name\":\"a\",\"model\":\"m\"} {}", 400, ""),
                new Bad("deep nesting", "/v1/agents", "[".repeat(100_000), 400, ""),
                new Bad("missing name", "/v1/agents", "{\"model\":\"m\"}", 400, "name"),
                new Bad("missing model", "/v1/agents", "{\"name\":\"a\"}", 400, "model"),
                new Bad(
                        "name is a number",
                        "/v1/agents",
                        "{\"name\":1,\"model\":\"m\"}",
                        400,
                        "name"),
                new Bad(
                        "tools is a text",
                        "/v1/agents",
                        "{\"name\":\"a\",\"model\":\"m\",\"tools\":\"bash\"}",
                        400,
                        "tools"),
                new Bad(
                        "unknown tool type",
                        "/v1/agents",
                        "{\"name\":\"a\",\"model\":\"m\",\"tools\":[{\"type\":\"hammer\"}]}",
                        400,
                        "hammer"),
                new Bad(
                        "session without agent",
                        "/v1/sessions",
                        "{" + environment + "}",
                        400,
                        "agent"),
                new Bad(
                        "session of an unknown agent",
                        "/v1/sessions",
                        "{\"agent\":\"agent_none\"," + environment + "}",
                        404,
                        "agent_none"),
                new Bad(
                        "session in an unknown environment",
                        "/v1/sessions",
                        "{\"agent\":\"" + desk.agent() + "\",\"environment_id\":\"env_none\"}",
                        404,
                        "env_none"),
                new Bad("events missing", events, "{}", 400, "events"),
                new Bad("events is an object", events, "{\"events\":{}}", 400, "events"),
                new Bad(
                        "unknown event type",
                        events,
                        "{\"events\":[{\"type\":\"user.dance\"}]}",
                        400,
                        "events[0].type"),
                new Bad(
                        "event of the agent",
                        events,
                        "{\"events\":[{\"type\":\"agent.message\",\"content\":[]}]}",
                        400,
                        "events[0].type"),
                new Bad(
                        "result of no call",
                        events,
                        "{\"events\":[{\"type\":\"user.tool_result\",\"tool_use_id\":\"sevt_none\"}]}",
                        400,
                        "sevt_none"),
                new Bad(
                        "confirmation of no call",
                        events,
                        "{\"events\":[{\"type\":\"user.tool_confirmation\",\"tool_use_id\":\"sevt_none\",\"result\":\"allow\"}]}",
                        400,
                        "sevt_none"),
                new Bad(
                        "good event before a bad one",
                        events,
                        "{\"events\":[{\"type\":\"user.message\",\"content\":[{\"type\":\"text\",\"text\":\"x\"}]},{\"type\":\"user.dance\"}]}",
                        400,
                        "events[1].type"),
                new Bad(
                        "events of an unknown session",
                        "/v1/sessions/sesn_none/events",
                        "{\"events\":[{\"type\":\"user.interrupt\"}]}",
                        404,
                        "sesn_none"),
                new Bad(
                        "archive of an unknown agent",
                        "/v1/agents/agent_none/archive",
                        "",
                        404,
                        "agent_none"),
                new Bad("unknown path", "/v1/hammers", "{}", 404, ""));
    }

    @TestFactory
    Stream<DynamicTest> badRequest_isRefusedAndChangesNothing() {
        return table().map(bad -> DynamicTest.dynamicTest(bad.name(), () -> check(bad)));
    }

    @Test
    void bodyOverTheLimit_isRefusedWith413() {
        Map<String, Integer> before = counts();
        Wire.Answer answer =
                wire.postText(
                        "/v1/agents",
                        "{\"name\":\"" + "x".repeat(33 << 20) + "\",\"model\":\"m\"}");
        assertThat(answer.status()).isEqualTo(413);
        assertThat(answer.errorType()).isEqualTo("request_too_large");
        assertThat(counts()).isEqualTo(before);
    }

    @Test
    void noCredentialAndHalfACredential_are401() {
        assertThat(new Wire(desk.baseUrl(), "").get("/v1/agents").status()).isEqualTo(401);
        assertThat(
                        new Wire(desk.baseUrl(), desk.apiKey().substring(0, 20))
                                .get("/v1/agents")
                                .status())
                .isEqualTo(401);
    }

    @Test
    void badPages_are400() {
        for (String query :
                List.of("limit=0", "limit=x", "limit=-1", "page=rubbish", "order=sideways")) {
            Wire.Answer answer = wire.get("/v1/sessions?" + query);
            assertThat(answer.status()).as(query).isEqualTo(400);
            assertThat(answer.errorMessage())
                    .as(query)
                    .contains(query.substring(0, query.indexOf('=')));
        }
    }

    private static void check(Bad bad) {
        Map<String, Integer> before = counts();
        Wire.Answer answer = wire.postText(bad.path(), bad.body());
        assertThat(answer.status()).as("%s", answer.body()).isEqualTo(bad.status());
        assertThat(answer.errorType())
                .isEqualTo(bad.status() == 404 ? "not_found_error" : "invalid_request_error");
        assertThat(answer.errorMessage()).isNotEmpty().contains(bad.word());
        assertThat(answer.body().path("request_id").asString("")).startsWith("req_");
        assertThat(answer.headers().firstValue("request-id"))
                .contains(answer.body().path("request_id").asString(""));
        assertThat(counts()).isEqualTo(before);
    }

    private static Map<String, Integer> counts() {
        return Map.of(
                "agents", size("/v1/agents?limit=100"),
                "sessions", size("/v1/sessions?limit=100"),
                "environments", size("/v1/environments?limit=100"),
                "events", talk.events().size());
    }

    private static int size(String path) {
        JsonNode page = wire.get(path).ok();
        return page.get("data").size();
    }
}
