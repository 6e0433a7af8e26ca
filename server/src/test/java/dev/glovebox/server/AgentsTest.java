package dev.glovebox.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.brain.Brain;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import tools.jackson.databind.JsonNode;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class AgentsTest {
    private static final String AGENTS = "/v1/agents";

    private TestDesk desk;

    @BeforeAll
    void start() {
        desk = new TestDesk((_, _) -> new Brain.Next.EndTurn());
    }

    @AfterAll
    void stop() {
        desk.close();
    }

    @Test
    void smallestAgent_hasEveryFieldTheApiShows() {
        JsonNode agent = create("{'name':'small','model':'m'}");
        assertThat(agent.path("id").stringValue()).startsWith("agent_");
        assertThat(agent.path("created_at").stringValue())
                .isEqualTo(agent.path("updated_at").stringValue());
        assertThat(agent.propertyNames())
                .containsExactlyInAnyOrder(
                        "type",
                        "id",
                        "name",
                        "description",
                        "model",
                        "system",
                        "tools",
                        "mcp_servers",
                        "skills",
                        "multiagent",
                        "execution_identity",
                        "metadata",
                        "version",
                        "created_at",
                        "updated_at",
                        "archived_at");
        assertThat(agent.path("type").stringValue()).isEqualTo("agent");
        assertThat(agent.path("version").intValue()).isEqualTo(1);
        assertThat(agent.path("execution_identity")).isEqualTo(json("{'type':'service_account'}"));
        assertThat(agent.path("archived_at").isNull()).isTrue();
        assertThat(get(agent)).isEqualTo(agent);
    }

    @Test
    void update_makesAVersion_andOldOnesStay() {
        JsonNode first = create("{'name':'v','model':'m','system':'one','metadata':{'a':'1'}}");
        JsonNode second =
                update(
                        first,
                        "{'version':1,'system':'two','metadata':{'a':null,'b':'2'},"
                                + "'tools':[{'type':'agent_toolset_20260401'}]}");
        assertThat(second.path("version").intValue()).isEqualTo(2);
        assertThat(second.path("name").stringValue()).isEqualTo("v");
        assertThat(second.path("metadata")).isEqualTo(json("{'b':'2'}"));
        assertThat(second.path("updated_at").stringValue())
                .isGreaterThan(first.path("updated_at").stringValue());
        assertThat(second.path("created_at")).isEqualTo(first.path("created_at"));
        assertThat(get(second)).isEqualTo(second);
        assertThat(desk.get(path(first) + "?version=1").ok()).isEqualTo(first);
        assertThat(desk.get(path(first) + "?version=3").status()).isEqualTo(404);
        assertThat(desk.get(path(first) + "?version=0").status()).isEqualTo(400);

        JsonNode page = desk.get(path(first) + "/versions?limit=1").ok();
        assertThat(page.path("data").get(0)).isEqualTo(second);
        String cursor = page.path("next_page").stringValue();
        JsonNode next = desk.get(path(first) + "/versions?limit=1&page=" + cursor).ok();
        assertThat(next.path("data").get(0)).isEqualTo(first);
        assertThat(next.path("next_page").isNull()).isTrue();
    }

    @Test
    void updateThatChangesNothing_keepsTheVersion() {
        JsonNode agent = create("{'name':'same','model':{'id':'m','effort':'low'},'system':'s'}");
        assertThat(update(agent, "{'version':1,'name':'same','system':'s','model':'m'}"))
                .isEqualTo(agent);
        assertThat(update(agent, "{}")).isEqualTo(agent);
    }

    @Test
    void staleVersion_isAConflict_evenWithEqualContent() {
        JsonNode agent = create("{'name':'stale','model':'m'}");
        update(agent, "{'version':1,'name':'fresh'}");
        var answer = desk.post(path(agent), "{\"version\":1,\"name\":\"fresh\"}");
        assertThat(answer.status()).isEqualTo(409);
        assertThat(answer.errorType()).isEqualTo("conflict_error");
        assertThat(answer.header("x-should-retry")).isEqualTo("false");
        assertThat(get(agent).path("version").intValue()).isEqualTo(2);
    }

    @Test
    void effort_staysWithItsModel() {
        JsonNode agent =
                create("{'name':'e','model':{'id':'m','effort':'low','inference_geo':'us'}}");
        JsonNode same = update(agent, "{'model':{'id':'m','speed':'fast'}}");
        assertThat(same.path("model"))
                .isEqualTo(json("{'id':'m','effort':{'type':'low'},'speed':'fast'}"));
        JsonNode other = update(agent, "{'model':'n'}");
        assertThat(other.path("model")).isEqualTo(json("{'id':'n','effort':{'type':'high'}}"));
    }

    @Test
    void clearing_isByNullOrEmpty_butNotNameAndModel() {
        JsonNode agent =
                create(
                        "{'name':'c','model':'m','system':'s','description':'d',"
                                + "'tools':[{'type':'agent_toolset_20260401'}]}");
        JsonNode cleared = update(agent, "{'system':'','description':null,'tools':null}");
        assertThat(cleared.path("system").isNull()).isTrue();
        assertThat(cleared.path("description").isNull()).isTrue();
        assertThat(cleared.path("tools")).isEmpty();
        assertRefused(path(agent), "{'name':null}", "name: is required");
        assertRefused(path(agent), "{'model':null}", "model: cannot be cleared");
    }

    @Test
    void archivedAgent_isReadOnly_andListedOnRequest() {
        JsonNode agent = create("{'name':'old','model':'m'}");
        JsonNode archived = desk.post(path(agent) + "/archive", "").ok();
        assertThat(archived.path("archived_at").isString()).isTrue();
        assertThat(desk.post(path(agent) + "/archive", "").ok()).isEqualTo(archived);
        assertThat(get(agent)).isEqualTo(archived);
        assertRefused(path(agent), "{'name':'new'}", "is archived");
        assertThat(ids(AGENTS + "?limit=100")).doesNotContain(id(agent));
        assertThat(ids(AGENTS + "?limit=100&include_archived=true")).contains(id(agent));
    }

    @Test
    void list_isNewestFirst_inPages_withinTimes() {
        JsonNode one = create("{'name':'l1','model':'m'}");
        JsonNode two = create("{'name':'l2','model':'m'}");
        JsonNode page = desk.get(AGENTS + "?limit=1").ok();
        assertThat(page.path("data").get(0).path("id")).isEqualTo(two.path("id"));
        String cursor = page.path("next_page").stringValue();
        assertThat(ids(AGENTS + "?limit=1&page=" + cursor)).containsExactly(id(one));
        assertThat(ids(AGENTS + "?created_at%5Bgte%5D=" + two.path("created_at").stringValue()))
                .contains(id(two))
                .doesNotContain(id(one));
        assertThat(
                        ids(
                                AGENTS
                                        + "?limit=100&created_at[lte]="
                                                .replace("[", "%5B")
                                                .replace("]", "%5D")
                                        + one.path("created_at").stringValue()))
                .contains(id(one))
                .doesNotContain(id(two));
        assertThat(desk.get(AGENTS + "?page=" + "bm9wZQ").status()).isEqualTo(400);
        assertThat(desk.get(AGENTS + "?include_archived=maybe").status()).isEqualTo(400);
    }

    @Test
    void badInput_isRefusedByPlace_andStoresNothing() {
        int before = desk.get(AGENTS + "?limit=100").ok().path("data").size();
        assertRefused(AGENTS, "{'model':'m'}", "name: is required");
        assertRefused(AGENTS, "{'name':'x'}", "model: is required");
        assertRefused(AGENTS, "{'name':7,'model':'m'}", "name: must be a string");
        assertRefused(AGENTS, "{'name':'x','model':'m','versoin':1}", "versoin: is not a field");
        assertRefused(AGENTS, "{'name':'x','model':'m','version':1}", "version: is not a field");
        assertRefused(
                AGENTS,
                "{'name':'" + "n".repeat(257) + "','model':'m'}",
                "name: must have at most 256 characters");
        assertRefused(
                AGENTS,
                "{'name':'x','model':'m','multiagent':{'type':'coordinator','agents':[]}}",
                "multiagent: is not supported");
        assertRefused(
                AGENTS,
                "{'name':'x','model':'m','execution_identity':{'type':'root'}}",
                "execution_identity.type: must be");
        assertRefused(
                AGENTS,
                "{'name':'x','model':'m','skills':[{'type':'custom','skill_id':'s'}]}",
                "skills: need");
        assertThat(desk.get(AGENTS + "?limit=100").ok().path("data").size()).isEqualTo(before);
    }

    @Test
    void metadata_staysWithinItsLimit_overUpdates() {
        StringBuilder pairs = new StringBuilder("'k0':'v'");
        for (int i = 1; i < 16; i++) {
            pairs.append(",'k").append(i).append("':'v'");
        }
        JsonNode agent = create("{'name':'m','model':'m','metadata':{" + pairs + "}}");
        assertRefused(path(agent), "{'metadata':{'k16':'v'}}", "at most 16 pairs");
        assertThat(update(agent, "{'metadata':{'k16':'v','k0':null}}").path("metadata").size())
                .isEqualTo(16);
    }

    @Test
    void unknownAgent_isNotFound_onEveryPath() {
        for (String path : new String[] {"", "/versions"}) {
            assertThat(desk.get(AGENTS + "/agent_none" + path).status()).isEqualTo(404);
        }
        assertThat(desk.post(AGENTS + "/agent_none", "{}").status()).isEqualTo(404);
        assertThat(desk.post(AGENTS + "/agent_none/archive", "").status()).isEqualTo(404);
        assertThat(desk.delete(AGENTS + "/agent_none").status()).isEqualTo(405);
    }

    @Test
    void environmentKey_isForbidden() {
        assertThat(desk.get(AGENTS, desk.environmentKey()).status()).isEqualTo(403);
        assertThat(desk.post(AGENTS, desk.environmentKey(), "{}").status()).isEqualTo(403);
    }

    private JsonNode create(String body) {
        return desk.post(AGENTS, body.replace('\'', '"')).ok();
    }

    private JsonNode update(JsonNode agent, String body) {
        return desk.post(path(agent), body.replace('\'', '"')).ok();
    }

    private JsonNode get(JsonNode agent) {
        return desk.get(path(agent)).ok();
    }

    private void assertRefused(String path, String body, String words) {
        var answer = desk.post(path, body.replace('\'', '"'));
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.errorType()).isEqualTo("invalid_request_error");
        assertThat(answer.message()).contains(words);
    }

    private java.util.List<String> ids(String path) {
        return desk.get(path).ok().path("data").valueStream().map(AgentsTest::id).toList();
    }

    private static String path(JsonNode agent) {
        return AGENTS + "/" + id(agent);
    }

    private static String id(JsonNode agent) {
        return agent.path("id").stringValue();
    }

    private static JsonNode json(String text) {
        return Json.tree(text.replace('\'', '"'));
    }
}
