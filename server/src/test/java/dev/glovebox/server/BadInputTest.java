package dev.glovebox.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import tools.jackson.databind.JsonNode;

/// What must not be accepted, and that nothing of it is kept.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BadInputTest {
    private TestDesk desk;
    private Talk talk;
    private String session;

    @BeforeAll
    void start() {
        desk = new TestDesk(new LineBrain());
        talk = new Talk(desk);
        talk.agent("agent_t");
        session = talk.session("call bash");
        talk.awaitIdle(session, "requires_action");
    }

    @AfterAll
    void stop() {
        desk.close();
    }

    @Test
    void badEventsAreRefusedWithTheirPathAndNothingIsStored() {
        List<JsonNode> before = talk.events(session);
        Map<String, String> cases =
                Map.ofEntries(
                        Map.entry("{}", "events[0].type: is required"),
                        Map.entry("1", "events[0]: must be an object"),
                        Map.entry("{\"type\":7}", "events[0].type: must be a string"),
                        Map.entry("{\"type\":\"agent.message\"}", "events[0].type:"),
                        Map.entry("{\"type\":\"user.dance\"}", "events[0].type:"),
                        Map.entry("{\"type\":\"user.message\"}", "events[0].content:"),
                        Map.entry(
                                "{\"type\":\"user.message\",\"content\":\"hi\"}",
                                "events[0].content: must be an array"),
                        Map.entry(
                                "{\"type\":\"user.message\",\"content\":[{\"type\":\"text\"}]}",
                                "events[0].content[0].text: is required"),
                        Map.entry(
                                "{\"type\":\"user.message\",\"content\":[{\"type\":\"redacted\"}]}",
                                "events[0].content[0].type:"),
                        Map.entry(
                                "{\"type\":\"user.message\",\"content\":[{\"type\":\"text\",\"text\":5}]}",
                                "events[0].content[0].text: must be a string"),
                        Map.entry(
                                "{\"type\":\"user.message\",\"contents\":[]}",
                                "events[0].contents: is not a field"),
                        Map.entry(
                                "{\"type\":\"user.tool_result\",\"tool_use_id\":\"sevt_x\"}",
                                "events[0].tool_use_id:"),
                        Map.entry(
                                "{\"type\":\"user.tool_result\",\"tool_use_id\":\"\"}",
                                "events[0].tool_use_id: is required"),
                        Map.entry(
                                "{\"type\":\"user.tool_result\",\"tool_use_id\":\"a\",\"is_error\":\"no\"}",
                                "events[0].is_error: must be true or false"),
                        Map.entry(
                                "{\"type\":\"user.tool_confirmation\",\"tool_use_id\":\"a\",\"result\":\"maybe\"}",
                                "events[0].result: must be allow or deny"),
                        Map.entry(
                                "{\"type\":\"user.interrupt\",\"session_thread_id\":\"sthr_1\"}",
                                "events[0].session_thread_id:"),
                        Map.entry(
                                "{\"type\":\"system.message\",\"content\":[{\"type\":\"text\",\"text\":\"x\"}]}",
                                "events: a system.message"),
                        Map.entry("{\"type\":\"user.define_outcome\"}", "events[0].type:"));
        cases.forEach((event, message) -> {
            var answer = talk.send(session, event);
            assertThat(answer.status()).as(event).isEqualTo(400);
            assertThat(answer.errorType()).isEqualTo("invalid_request_error");
            assertThat(answer.message()).startsWith(message);
        });
        assertThat(desk.post(events(), "{\"events\":[]}").message()).startsWith("events:");
        assertThat(desk.post(events(), "{}").message()).startsWith("events:");
        assertThat(desk.post(events(), "{\"events\":{}}").message()).startsWith("events:");
        assertThat(desk.post(events(), "").message()).contains("needs a JSON body");
        assertThat(talk.events(session)).isEqualTo(before);
    }

    private String events() {
        return "/v1/sessions/" + session + "/events";
    }

    @Test
    void badListsAreRefused() {
        for (String query :
                List.of(
                        "limit=1001",
                        "limit=-1",
                        "order=up",
                        "page=%21",
                        "page=AAAA",
                        "created_at[gt]=yesterday")) {
            assertThat(desk.get(events() + "?" + query).status()).as(query).isEqualTo(400);
        }
        for (String query :
                List.of(
                        "statuses[]=happy",
                        "agent_version=1",
                        "order=up",
                        "include_archived=yes",
                        "page=zzz")) {
            assertThat(desk.get("/v1/sessions?" + query).status()).as(query).isEqualTo(400);
        }
        assertThat(desk.get("/v1/sessions/sesn_none/events").status()).isEqualTo(404);
    }

    @Test
    void badCreationsAreRefusedAndNothingIsKept() {
        int before = count();
        String environment = desk.environment();
        Map<String, Integer> cases =
                Map.of(
                        "{}",
                        400,
                        "{\"agent\":\"agent_t\"}",
                        400,
                        "{\"agent\":\"agent_t\",\"environment_id\":\"env_none\"}",
                        404,
                        "{\"agent\":\"agent_none\",\"environment_id\":\"" + environment + "\"}",
                        404,
                        "{\"agent\":{\"type\":\"agent\",\"id\":\"agent_t\",\"version\":9},"
                                + "\"environment_id\":\""
                                + environment
                                + "\"}",
                        404,
                        "{\"agent\":{\"type\":\"robot\",\"id\":\"agent_t\"},\"environment_id\":\""
                                + environment
                                + "\"}",
                        400,
                        talk.creation(",\"vault_ids\":[\"vlt_1\"]"),
                        400,
                        talk.creation(",\"colour\":\"red\""),
                        400,
                        talk.creation(",\"initial_events\":[{\"type\":\"user.interrupt\"}]"),
                        400,
                        talk.creation(",\"metadata\":{\"k\":1}"),
                        400);
        cases.forEach((body, status) ->
                assertThat(desk.post("/v1/sessions", body).status()).as(body).isEqualTo(status));
        assertThat(count()).isEqualTo(before);
    }

    private int count() {
        return desk.get("/v1/sessions?limit=100").ok().path("data").size();
    }

    @Test
    void fileResourceOnASelfHostedEnvironmentHasTheDocumentedMessage() {
        var answer =
                desk.post(
                        "/v1/sessions",
                        talk.creation(
                                ",\"resources\":[{\"type\":\"file\",\"file_id\":\"file_1\"}]"));
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.message())
                .isEqualTo(
                        "Environment "
                                + desk.environment()
                                + " is a self-hosted environment. `resources` are not supported"
                                + " with self-hosted environments.");
    }

    @Test
    void overridesReplaceInheritAndClear() {
        String prefix =
                "{\"environment_id\":\""
                        + desk.environment()
                        + "\",\"agent\":{\"type\":\"agent_with_overrides\",\"id\":\"agent_t\",";
        JsonNode agent =
                desk.post("/v1/sessions", prefix + "\"system\":\"be brief\",\"tools\":[]}}")
                        .ok()
                        .path("agent");
        assertThat(agent.path("system").stringValue()).isEqualTo("be brief");
        assertThat(agent.path("tools").isEmpty()).isTrue();
        assertThat(agent.path("name").stringValue()).isEqualTo("tester");
        assertThat(agent.path("id").stringValue()).isEqualTo("agent_t");
        assertThat(desk.post("/v1/sessions", prefix + "\"model\":null}}").status()).isEqualTo(400);
    }

    @Test
    void sessionsAreListedInBothDirections() {
        for (int i = 0; i < 5; i++) {
            talk.session();
        }
        List<String> all = new ArrayList<>();
        JsonNode page = desk.get("/v1/sessions?limit=2").ok();
        JsonNode first = page;
        assertThat(page.path("prev_page").isNull()).isTrue();
        while (true) {
            page.path("data").forEach(s -> all.add(s.path("id").stringValue()));
            if (page.path("next_page").isNull()) {
                break;
            }
            page =
                    desk.get("/v1/sessions?limit=2&page=" + page.path("next_page").stringValue())
                            .ok();
        }
        assertThat(all).doesNotHaveDuplicates().hasSizeGreaterThanOrEqualTo(6);
        while (!page.path("prev_page").isNull()) {
            page =
                    desk.get("/v1/sessions?limit=2&page=" + page.path("prev_page").stringValue())
                            .ok();
        }
        assertThat(page.path("data").valueStream().map(s -> s.path("id").stringValue()))
                .containsExactlyElementsOf(
                        first.path("data")
                                .valueStream()
                                .map(s -> s.path("id").stringValue())
                                .toList());
        String cursor = first.path("next_page").stringValue();
        assertThat(desk.get("/v1/sessions?order=asc&page=" + cursor).status()).isEqualTo(400);
        assertThat(
                        desk.get(
                                        "/v1/sessions?statuses%5B%5D=idle&statuses%5B%5D=running&limit=100")
                                .ok()
                                .path("data")
                                .size())
                .isPositive();
        assertThat(
                        desk.get(
                                        "/v1/sessions?created_at%5Bgt%5D=2099-01-01T00%3A00%3A00%2B00%3A00")
                                .ok()
                                .path("data")
                                .isEmpty())
                .isTrue();
    }

    @Test
    void eventsAreFilteredAndPaged() {
        String id = talk.session("say a\nsay b\nsay c");
        talk.awaitIdle(id, "end_turn");
        String path = "/v1/sessions/" + id + "/events";
        assertThat(
                        desk.get(path + "?types%5B%5D=agent.message&types[]=user.message")
                                .ok()
                                .path("data")
                                .size())
                .isEqualTo(4);
        List<String> ids = new ArrayList<>();
        JsonNode page = desk.get(path + "?limit=3&order=desc").ok();
        while (true) {
            page.path("data").forEach(e -> ids.addFirst(e.path("id").stringValue()));
            if (page.path("next_page").isNull()) {
                break;
            }
            page =
                    desk.get(
                                    path
                                            + "?limit=3&order=desc&page="
                                            + page.path("next_page").stringValue())
                            .ok();
        }
        assertThat(ids)
                .containsExactlyElementsOf(
                        talk.events(id).stream().map(e -> e.path("id").stringValue()).toList());
        String stamp = talk.events(id).get(3).path("processed_at").stringValue();
        assertThat(
                        desk.get(path + "?created_at[lte]=" + stamp.replace("Z", "%2B00:00"))
                                .ok()
                                .path("data")
                                .size())
                .isEqualTo(4);
    }

    @Test
    void updatesMergeAndTell() {
        String id = talk.session();
        String path = "/v1/sessions/" + id;
        desk.post(path, "{\"title\":\"a\",\"metadata\":{\"x\":\"1\"}}").ok();
        desk.post(path, "{\"title\":\"a\"}").ok();
        JsonNode after = desk.post(path, "{\"metadata\":{\"x\":null,\"y\":\"2\"}}").ok();
        assertThat(after.path("metadata").toString()).isEqualTo("{\"y\":\"2\"}");
        assertThat(talk.ids(id, "session.updated")).hasSize(2);
        assertThat(desk.post(path, "{\"vault_ids\":[]}").status()).isEqualTo(400);
        JsonNode cleared = desk.post(path, "{\"agent\":{\"tools\":[]}}").ok();
        assertThat(cleared.path("agent").path("tools").isEmpty()).isTrue();
        assertThat(desk.post(path, "{\"title\":null}").ok().path("title").isNull()).isTrue();
    }

    @Test
    void archivedSessionIsTerminatedHiddenAndClosed() {
        String id = talk.session();
        desk.post("/v1/sessions/" + id + "/archive", "").ok();
        desk.post("/v1/sessions/" + id + "/archive", "").ok();
        assertThat(talk.get(id).path("status").stringValue()).isEqualTo("terminated");
        assertThat(talk.send(id, Talk.message("say x")).status()).isEqualTo(400);
        assertThat(desk.get("/v1/sessions?limit=100").response().body()).doesNotContain(id);
        assertThat(desk.get("/v1/sessions?limit=100&include_archived=true").response().body())
                .contains(id);
        assertThat(desk.delete("/v1/sessions/" + id).ok().path("type").stringValue())
                .isEqualTo("session_deleted");
        assertThat(desk.delete("/v1/sessions/" + id).status()).isEqualTo(404);
    }

    @Test
    void runningSessionIsNeitherArchivedNorDeleted() {
        String id = talk.session("hang");
        assertThat(desk.post("/v1/sessions/" + id + "/archive", "").status()).isEqualTo(400);
        assertThat(desk.delete("/v1/sessions/" + id).message()).contains("user.interrupt");
        talk.send(id, "{\"type\":\"user.interrupt\"}").ok();
        assertThat(desk.delete("/v1/sessions/" + id).status()).isEqualTo(200);
    }
}
