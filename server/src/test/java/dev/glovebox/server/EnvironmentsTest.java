package dev.glovebox.server;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.brain.Brain;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class EnvironmentsTest {
    private static final String ENVIRONMENTS = "/v1/environments";

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
    void environmentOfTheFirstStart_isLikeAnyOther() {
        JsonNode first = desk.get(ENVIRONMENTS + "/" + desk.environment()).ok();
        JsonNode made = create("{'name':'like','config':{'type':'self_hosted'}}");
        assertThat(first.propertyNames()).containsExactlyInAnyOrderElementsOf(made.propertyNames());
        assertThat(first.path("config")).isEqualTo(made.path("config"));
    }

    @Test
    void selfHosted_hasNothingButItsType() {
        JsonNode made =
                create(
                        "{'name':'own','description':'','metadata':{'a':'1'},"
                                + "'config':{'type':'self_hosted'},'scope':'organization'}");
        assertThat(made.path("type").stringValue()).isEqualTo("environment");
        assertThat(made.path("id").stringValue()).startsWith("env_");
        assertThat(made.path("config")).isEqualTo(json("{'type':'self_hosted'}"));
        assertThat(made.path("description").stringValue()).isEmpty();
        assertThat(made.path("metadata")).isEqualTo(json("{'a':'1'}"));
        assertThat(made.path("archived_at").isNull()).isTrue();
        assertThat(desk.get(path(made)).ok()).isEqualTo(made);
        assertRefused(
                ENVIRONMENTS,
                "{'name':'x','config':{'type':'self_hosted','networking':{}}}",
                "config.networking: is not a field");
    }

    @Test
    void withoutConfig_isACloudEnvironmentWithEverythingSpeltOut() {
        assertThat(create("{'name':'cloud'}").path("config"))
                .isEqualTo(
                        json(
                                "{'type':'cloud','networking':{'type':'unrestricted'},'packages':"
                                        + "{'type':'packages','apt':[],'cargo':[],'gem':[],'go':[],"
                                        + "'npm':[],'pip':[]}}"));
    }

    @Test
    void update_keepsWhatIsNotSent_atEveryLevel() {
        JsonNode made =
                create(
                        "{'name':'deep','config':{'type':'cloud','networking':{'type':'limited',"
                                + "'allowed_hosts':['example.com','*.example.org'],"
                                + "'allow_package_managers':true},'packages':{'pip':['a==1'],"
                                + "'npm':['b']}}}");
        JsonNode updated =
                update(
                        made,
                        "{'config':{'networking':{'allow_mcp_servers':true},"
                                + "'packages':{'npm':[]}}}");
        assertThat(updated.path("config").path("networking"))
                .isEqualTo(
                        json(
                                "{'type':'limited','allowed_hosts':['example.com','*.example.org'],"
                                        + "'allow_mcp_servers':true,'allow_package_managers':true}"));
        assertThat(updated.path("config").path("packages").path("pip")).isEqualTo(json("['a==1']"));
        assertThat(updated.path("config").path("packages").path("npm")).isEmpty();
        assertThat(updated.path("name").stringValue()).isEqualTo("deep");
        assertThat(update(updated, "{'name':'deep'}")).isEqualTo(updated);
        JsonNode open = update(updated, "{'config':{'networking':{'type':'unrestricted'}}}");
        assertThat(open.path("config").path("networking"))
                .isEqualTo(json("{'type':'unrestricted'}"));
    }

    @Test
    void metadata_isMerged_andDeletedByNullOrEmpty() {
        JsonNode made = create("{'name':'meta','metadata':{'a':'1','b':'2','c':'3'}}");
        assertThat(update(made, "{'metadata':{'a':null,'b':'','d':'4'}}").path("metadata"))
                .isEqualTo(json("{'c':'3','d':'4'}"));
        var answer = desk.post(path(made), "{\"metadata\":{\"\":\"x\"}}");
        assertThat(answer.status()).isEqualTo(400);
        assertThat(code(answer)).isEqualTo("invalid_metadata");
    }

    @Test
    void kind_cannotBeChanged() {
        JsonNode made = create("{'name':'kind','config':{'type':'self_hosted'}}");
        var answer = desk.post(path(made), "{\"config\":{\"type\":\"cloud\"}}");
        assertThat(answer.status()).isEqualTo(400);
        assertThat(code(answer)).isEqualTo("invalid_config_type_change");
        assertThat(update(made, "{'config':{'type':'self_hosted'}}")).isEqualTo(made);
    }

    @Test
    void name_isUnique() {
        JsonNode one = create("{'name':'unique'}");
        JsonNode two = create("{'name':'unique too'}");
        assertThat(desk.post(ENVIRONMENTS, "{\"name\":\"unique\"}").status()).isEqualTo(409);
        var renamed = desk.post(path(two), "{\"name\":\"unique\"}");
        assertThat(renamed.status()).isEqualTo(409);
        assertThat(renamed.errorType()).isEqualTo("conflict_error");
        assertThat(desk.get(path(two)).ok()).isEqualTo(two);
        assertThat(desk.get(path(one)).ok()).isEqualTo(one);
    }

    @Test
    void archived_isReadOnly_andListedOnRequest() {
        JsonNode made = create("{'name':'past','config':{'type':'self_hosted'}}");
        JsonNode archived = desk.post(path(made) + "/archive", "").ok();
        assertThat(archived.path("archived_at").isString()).isTrue();
        assertThat(desk.post(path(made) + "/archive", "").ok()).isEqualTo(archived);
        var answer = desk.post(path(made), "{\"name\":\"now\"}");
        assertThat(answer.status()).isEqualTo(400);
        assertThat(code(answer)).isEqualTo("environment_archived");
        assertThat(ids("?limit=100")).doesNotContain(made.path("id").stringValue());
        assertThat(ids("?limit=100&include_archived=true")).contains(made.path("id").stringValue());
    }

    @Test
    void list_isNewestFirstInPages() {
        JsonNode one = create("{'name':'list 1'}");
        JsonNode two = create("{'name':'list 2'}");
        JsonNode page = desk.get(ENVIRONMENTS + "?limit=1").ok();
        assertThat(page.path("data").get(0)).isEqualTo(two);
        assertThat(ids("?limit=1&page=" + page.path("next_page").stringValue()))
                .containsExactly(one.path("id").stringValue());
    }

    @Test
    void deleted_isGoneWithItsKeys() {
        JsonNode made = create("{'name':'gone','config':{'type':'self_hosted'}}");
        String id = made.path("id").stringValue();
        String keys = "/glovebox/v1/environments/" + id + "/keys";
        String key = desk.post(keys, "{}").ok().path("key").stringValue();
        assertThat(desk.get(ENVIRONMENTS, key).status()).isEqualTo(403);
        assertThat(desk.delete(path(made)).ok())
                .isEqualTo(json("{'id':'" + id + "','type':'environment_deleted'}"));
        assertThat(desk.get(path(made)).status()).isEqualTo(404);
        assertThat(desk.delete(path(made)).status()).isEqualTo(404);
        assertThat(desk.get(ENVIRONMENTS, key).status()).isEqualTo(401);
        create("{'name':'gone'}");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{} | name: is required",
                "{'name':''} | name: is required",
                "{'name':'x','scope':'account'} | scope: must be organization",
                "{'name':'x','keys':[]} | keys: is not a field",
                "{'name':'x','config':'cloud'} | config: must be an object",
                "{'name':'x','config':{}} | config.type: is required",
                "{'name':'x','config':{'type':'vm'}} | config.type: must be cloud or self_hosted",
                "{'name':'x','config':{'type':'cloud','networking':{'type':'none'}}} |"
                        + " config.networking.type: must be",
                "{'name':'x','config':{'type':'cloud','networking':{'allowed_hosts':[]}}} |"
                        + " allowed_hosts: is not a field",
                "{'name':'x','config':{'type':'cloud','networking':{'type':'limited',"
                        + "'allowed_hosts':['https://a.b']}}} | without scheme, port or path",
                "{'name':'x','config':{'type':'cloud','networking':{'type':'limited',"
                        + "'allowed_hosts':['a.b:443']}}} | without scheme, port or path",
                "{'name':'x','config':{'type':'cloud','networking':{'type':'limited',"
                        + "'allowed_hosts':['a.*.b']}}} | without scheme, port or path",
                "{'name':'x','config':{'type':'cloud','packages':{'pip':['--index-url=x']}}} |"
                        + " config.packages.pip: must be package names",
                "{'name':'x','config':{'type':'cloud','packages':{'conda':[]}}} |"
                        + " config.packages.conda: is not a field",
                "{'name':'x','config':{'type':'cloud','networking':{'type':'limited'},"
                        + "'packages':{'pip':['a']}}} | need allow_package_managers"
            })
    void badInput_isRefusedByPlace(String body, String words) {
        assertRefused(ENVIRONMENTS, body, words);
    }

    @Test
    void unknownEnvironment_isNotFound() {
        String none = ENVIRONMENTS + "/env_none";
        assertThat(desk.get(none).status()).isEqualTo(404);
        assertThat(desk.post(none, "{}").status()).isEqualTo(404);
        assertThat(desk.post(none + "/archive", "").status()).isEqualTo(404);
        assertThat(desk.delete(none).status()).isEqualTo(404);
    }

    private JsonNode create(String body) {
        return desk.post(ENVIRONMENTS, body.replace('\'', '"')).ok();
    }

    private JsonNode update(JsonNode environment, String body) {
        return desk.post(path(environment), body.replace('\'', '"')).ok();
    }

    private void assertRefused(String path, String body, String words) {
        var answer = desk.post(path, body.replace('\'', '"'));
        assertThat(answer.status()).isEqualTo(400);
        assertThat(answer.message()).contains(words);
    }

    private List<String> ids(String query) {
        return desk.get(ENVIRONMENTS + query).ok().path("data").findValuesAsString("id");
    }

    private static String code(TestDesk.Answer answer) {
        return answer.json().path("error").path("details").path("error_code").asString("");
    }

    private static String path(JsonNode environment) {
        return ENVIRONMENTS + "/" + environment.path("id").stringValue();
    }

    private static JsonNode json(String text) {
        return Json.tree(text.replace('\'', '"'));
    }
}
