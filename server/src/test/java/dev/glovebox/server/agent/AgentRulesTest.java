package dev.glovebox.server.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.Problem;
import dev.glovebox.protocol.ProblemException;
import dev.glovebox.server.http.Fields;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

class AgentRulesTest {
    private static final String TOOLSET = "{'tools':[{'type':'agent_toolset_20260401',%s}]}";

    private final AgentRules rules = new AgentRules();

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'model':'m'} | {'model':{'id':'m','effort':{'type':'high'}}}",
                "{'model':{'id':'m'}} | {'model':{'id':'m','effort':{'type':'high'}}}",
                "{'model':{'id':'m','effort':'low'}} |"
                        + " {'model':{'id':'m','effort':{'type':'low'}}}",
                "{'model':{'id':'m','effort':{'type':'xhigh'},'speed':'fast',"
                        + "'inference_geo':'us'}} | {'model':{'id':'m','effort':{'type':'xhigh'},"
                        + "'inference_geo':'us','speed':'fast'}}",
                "{'system':null} | {'system':null}",
                "{'system':''} | {'system':null}",
                "{'tools':null,'skills':[],'mcp_servers':null} |"
                        + " {'tools':[],'mcp_servers':[],'skills':[]}",
                "{'skills':[{'type':'anthropic','skill_id':'xlsx'},"
                        + "{'type':'custom','skill_id':'skill_1','version':'3'}]} |"
                        + " {'skills':[{'type':'anthropic','skill_id':'xlsx','version':'latest'},"
                        + "{'type':'custom','skill_id':'skill_1','version':'3'}]}",
                "{'name':'ignored','metadata':1} | {}"
            })
    void member_isResolved(String sent, String resolved) {
        assertThat(resolve(sent)).isEqualTo(json(resolved));
    }

    @Test
    void bareToolset_spellsItsDefaultsOut_andHasNoWebTools() {
        assertThat(resolve("{'tools':[{'type':'agent_toolset_20260401'}]}").path("tools"))
                .isEqualTo(
                        json(
                                """
                                [{'type':'agent_toolset_20260401',
                                  'default_config':{'enabled':true,
                                    'permission_policy':{'type':'always_allow'}},
                                  'configs':[
                                   {'type':'web_fetch','name':'web_fetch','enabled':false,
                                    'permission_policy':{'type':'always_allow'},
                                    'url_sources':null},
                                   {'type':'web_search','name':'web_search','enabled':false,
                                    'permission_policy':{'type':'always_allow'}}]}]
                                """));
    }

    @Test
    void toolsOwnSetting_overridesTheToolsets() {
        JsonNode toolset =
                resolve(
                                TOOLSET.formatted(
                                        "'default_config':{'enabled':false,"
                                                + "'permission_policy':{'type':'always_ask'}},"
                                                + "'configs':[{'name':'bash','enabled':true},"
                                                + "{'name':'read','type':'read',"
                                                + "'permission_policy':{'type':'auto'}},"
                                                + "{'name':'web_search','enabled':true,"
                                                + "'allowed_domains':['example.com']}]"))
                        .path("tools")
                        .path(0);
        assertThat(toolset.path("configs"))
                .isEqualTo(
                        json(
                                """
                                [{'type':'bash','name':'bash','enabled':true,
                                  'permission_policy':{'type':'always_ask'}},
                                 {'type':'read','name':'read','enabled':false,
                                  'permission_policy':{'type':'auto'}},
                                 {'type':'web_search','name':'web_search','enabled':false,
                                  'permission_policy':{'type':'always_ask'},
                                  'allowed_domains':['example.com']}]
                                """));
    }

    @Test
    void mcpToolset_asksUnlessToldOtherwise() {
        assertThat(
                        resolve(
                                        """
                                        {'tools':[{'type':'mcp_toolset','mcp_server_name':'s',
                                          'configs':[{'name':'t',
                                            'permission_policy':{'type':'always_allow'}}]}]}
                                        """)
                                .path("tools"))
                .isEqualTo(
                        json(
                                """
                                [{'type':'mcp_toolset','mcp_server_name':'s',
                                  'default_config':{'enabled':true,
                                    'permission_policy':{'type':'always_ask'}},
                                  'configs':[{'name':'t','enabled':true,
                                    'permission_policy':{'type':'always_allow'}}]}]
                                """));
    }

    @Test
    void webFetchSources_areShownAsObjects() {
        JsonNode config =
                resolve(
                                TOOLSET.formatted(
                                        "'configs':[{'name':'web_fetch','max_content_tokens':5,"
                                                + "'url_sources':{'user_input':'all',"
                                                + "'client_tool_results':{'type':'only','tools':"
                                                + "[{'type':'tool_reference','name':'x'}]}}}]"))
                        .path("tools")
                        .path(0)
                        .path("configs")
                        .path(0);
        assertThat(config.path("url_sources"))
                .isEqualTo(
                        json(
                                "{'client_tool_results':{'type':'only','tools':[{'type':"
                                        + "'tool_reference','name':'x'}]},"
                                        + "'server_tool_results':null,"
                                        + "'user_input':{'type':'all'}}"));
        assertThat(config.path("max_content_tokens").asInt(0)).isEqualTo(5);
    }

    @Test
    void customTool_keepsItsSchemaWhole() {
        String tool =
                "{'type':'custom','name':'get_weather','description':'d','input_schema':"
                        + "{'type':'object','properties':{'a.b-c':{'anyOf':[{'type':'string'}]}},"
                        + "'required':['a.b-c'],'additionalProperties':false}}";
        assertThat(resolve("{'tools':[" + tool + "]}").path("tools").path(0)).isEqualTo(json(tool));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'model':null} | model: cannot be cleared",
                "{'model':''} | model: is required",
                "{'model':7} | model: must be an object",
                "{'model':{}} | model.id: is required",
                "{'model':{'id':'m','effort':'huge'}} | model.effort: must be",
                "{'model':{'id':'m','effort':{'type':'huge'}}} | model.effort.type: must be",
                "{'model':{'id':'m','speed':'warp'}} | model.speed: must be fast or standard",
                "{'model':{'id':'m','inference_geo':'mars'}} | model.inference_geo: must be",
                "{'model':{'id':'m','temperature':1}} | model.temperature: is not a field",
                "{'system':5} | system: must be a string",
                "{'tools':{}} | tools: must be an array",
                "{'tools':['bash']} | tools[0]: must be an object",
                "{'tools':[{}]} | tools[0].type: is required",
                "{'tools':[{'type':'bash_20250124'}]} | bash_20250124 is not a kind of tool",
                "{'tools':[{'type':'agent_toolset_20260401'},{'type':'agent_toolset_20260401'}]} |"
                        + " tools[1].type: agent_toolset_20260401 is there twice",
                "{'tools':[{'type':'mcp_toolset'}]} | tools[0].mcp_server_name: is required",
                "{'tools':[{'type':'mcp_toolset','mcp_server_name':'s','configs':[{'name':'t'},"
                        + "{'name':'t'}]}]} | tools[0].configs[1].name: t is there twice",
                "{'mcp_servers':[{'type':'stdio','name':'a','url':'https://x'}]} |"
                        + " mcp_servers[0].type: must be url",
                "{'mcp_servers':[{'type':'url','name':'a','url':'file:///x'}]} |"
                        + " mcp_servers[0].url: must begin",
                "{'mcp_servers':[{'type':'url','name':'a','url':'https://x'},"
                        + "{'type':'url','name':'a','url':'https://y'}]} |"
                        + " mcp_servers[1].name: a is there twice",
                "{'skills':[{'type':'other','skill_id':'x'}]} | skills[0].type: must be",
                "{'skills':[{'type':'custom'}]} | skills[0].skill_id: is required",
                "{'skills':[{'type':'custom','skill_id':'x'},{'type':'custom','skill_id':'x'}]} |"
                        + " skills[1].skill_id: x is there twice"
            })
    void badMember_isRefusedByPlace(String sent, String words) {
        assertRefused(sent, words);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "'configs':[{'name':'python'}] | configs[0].name: must be bash or edit",
                "'configs':[{'name':'bash','type':'read'}] | configs[0].type: must be the same",
                "'configs':[{'name':'bash'},{'name':'bash'}] | name: bash is there twice",
                "'configs':[{'name':'bash','enabled':'yes'}] | enabled: must be true or false",
                "'configs':[{'name':'bash','permission_policy':{'type':'never'}}] |"
                        + " permission_policy.type: must be always_allow or always_ask or auto",
                "'configs':[{'name':'bash','permission_policy':'auto'}] | must be an object",
                "'configs':[{'name':'bash','allowed_domains':['a']}] | is not a field",
                "'default_config':{'enabeld':true} | default_config.enabeld: is not a field",
                "'configs':[{'name':'web_search','allowed_domains':[]}] | must have 1 to 64 items",
                "'configs':[{'name':'web_search','allowed_domains':['a'],"
                        + "'blocked_domains':['b']}] | cannot stand beside",
                "'configs':[{'name':'web_search','user_location':{'type':'exact'}}] |"
                        + " user_location.type: must be approximate",
                "'configs':[{'name':'web_fetch','max_content_tokens':0}] | must be from 1",
                "'configs':[{'name':'web_fetch','url_sources':{'user_input':'some'}}] | must be all",
                "'configs':[{'name':'web_fetch','url_sources':{'user_input':'none',"
                        + "'client_tool_results':'none','server_tool_results':'none'}}] |"
                        + " must not be none",
                "'configs':[{'name':'web_fetch','url_sources':{'client_tool_results':"
                        + "{'type':'only','tools':[]}}}] | tools: must have 1 to 128 items"
            })
    void badToolset_isRefusedByPlace(String members, String words) {
        assertRefused(TOOLSET.formatted(members), words);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "bash | {'type':'object'} | bash is taken",
                "mcp__x | {'type':'object'} | mcp__x is taken",
                "a b | {'type':'object'} | must be 1 to 128 letters",
                "ok | {'type':'array'} | input_schema.type: must be object",
                "ok | {} | input_schema.type: is required",
                "ok | {'type':'object','oneOf':[]} | input_schema.oneOf: is not allowed",
                "ok | {'type':'object','properties':{'a b':{}}} | must be named by",
                "ok | {'type':'object','properties':[]} | properties: must be an object",
                "ok | {'type':'object','required':'a'} | required: must be an array",
                "ok | {'type':'object','properties':{'a':{'items':[{'$ref':'#'}]}}} | $ref: is not"
            })
    void badCustomTool_isRefusedByPlace(String name, String schema, String words) {
        assertRefused(
                "{'tools':[{'type':'custom','name':'%s','description':'d','input_schema':%s}]}"
                        .formatted(name, schema),
                words);
    }

    @Test
    void limits_hold() {
        String tool =
                "{'type':'custom','name':'t%d','description':'d',"
                        + "'input_schema':{'type':'object'}}";
        StringBuilder tools = new StringBuilder(tool.formatted(0));
        for (int i = 1; i <= 128; i++) {
            tools.append(',').append(tool.formatted(i));
        }
        assertRefused("{'tools':[" + tools + "]}", "tools: must have at most 128 items");
        assertRefused("{'system':'" + "x".repeat(100_001) + "'}", "at most 100000 characters");
        StringBuilder configs = new StringBuilder("{'name':'c0'}");
        for (int i = 1; i < 256; i++) {
            configs.append(",{'name':'c").append(i).append("'}");
        }
        assertRefused(
                "{'tools':[{'type':'mcp_toolset','mcp_server_name':'s','configs':["
                        + configs
                        + "]}]}",
                "tools: must have at most 256 tools in all");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'tools':[{'type':'mcp_toolset','mcp_server_name':'s'}],'mcp_servers':[]} |"
                        + " refers to s",
                "{'tools':[],'mcp_servers':[{'type':'url','name':'s','url':'https://x'}]} |"
                        + " s needs an mcp_toolset",
                "{'tools':[],'skills':[{'type':'custom','skill_id':'x'}]} | read enabled",
                "{'tools':[{'type':'agent_toolset_20260401','configs':[{'name':'read',"
                        + "'enabled':false}]}],'skills':[{'type':'custom','skill_id':'x'}]} |"
                        + " read enabled"
            })
    void membersThatDoNotFit_areRefused(String sent, String words) {
        ObjectNode agent = resolve(sent);
        assertThatThrownBy(() -> rules.mustFit(agent))
                .isInstanceOf(ProblemException.class)
                .hasMessageContaining(words);
    }

    @Test
    void membersThatFit_areTaken() {
        rules.mustFit(
                resolve(
                        """
                        {'tools':[{'type':'agent_toolset_20260401'},
                          {'type':'mcp_toolset','mcp_server_name':'s'}],
                         'mcp_servers':[{'type':'url','name':'s','url':'https://x'}],
                         'skills':[{'type':'custom','skill_id':'x'}]}
                        """));
    }

    private void assertRefused(String sent, String words) {
        assertThatThrownBy(() -> resolve(sent))
                .isInstanceOfSatisfying(
                        ProblemException.class,
                        e -> assertThat(e.problem().kind()).isEqualTo(Problem.Kind.INVALID_REQUEST))
                .hasMessageContaining(words);
    }

    private ObjectNode resolve(String sent) {
        return rules.resolve(new Fields("", (ObjectNode) json(sent)));
    }

    private static JsonNode json(String text) {
        return Json.tree(text.replace('\'', '"'));
    }
}
