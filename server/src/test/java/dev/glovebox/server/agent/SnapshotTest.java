package dev.glovebox.server.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.ProblemException;
import dev.glovebox.protocol.agent.SessionAgent;
import dev.glovebox.server.http.Fields;
import dev.glovebox.server.store.SqliteStore;
import dev.glovebox.server.store.Store;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.node.ObjectNode;

/// The agent as a session keeps it.
class SnapshotTest {
    private static final AgentRules RULES = new AgentRules();

    @TempDir private Path directory;
    private Store store;

    @BeforeEach
    void twoVersionsOfAnAgent() {
        store = SqliteStore.open(directory.resolve("control.db"), Clock.systemUTC());
        AgentForm form = new AgentForm(RULES);
        store.write(tx -> {
            ObjectNode agent =
                    form.create(
                            fields(
                                    """
                                    {'name':'a','model':{'id':'m','effort':'low'},
                                     'system':'s','metadata':{'k':'v'},
                                     'tools':[{'type':'agent_toolset_20260401'},
                                      {'type':'mcp_toolset','mcp_server_name':'x'}],
                                     'mcp_servers':[{'type':'url','name':'x',
                                      'url':'https://x'}],
                                     'skills':[{'type':'custom','skill_id':'k'}]}
                                    """));
            String now = tx.now();
            agent.put("id", "agent_1").put("version", 1L).put("created_at", now);
            agent.put("updated_at", now).putNull("archived_at");
            AgentRows.insert(tx.handle(), agent);
            ObjectNode second = form.update(agent, fields("{'system':'two'}"));
            second.put("version", 2L).put("updated_at", tx.now());
            AgentRows.update(tx.handle(), second);
            return second;
        });
    }

    @AfterEach
    void close() {
        store.close();
    }

    @Test
    void latestVersion_isPinned_andReadsAsTheProtocolsRecord() {
        ObjectNode snapshot = snapshot(OptionalLong.empty(), Optional.empty());
        SessionAgent agent = Json.fromTree(snapshot, SessionAgent.class);
        assertThat(agent.id()).isEqualTo("agent_1");
        assertThat(agent.version()).isEqualTo(2);
        assertThat(agent.system()).isEqualTo("two");
        assertThat(agent.modelId()).isEqualTo("m");
        assertThat(agent.tools()).hasSize(2);
        assertThat(snapshot.propertyNames())
                .containsExactlyInAnyOrder(
                        "type",
                        "id",
                        "version",
                        "name",
                        "description",
                        "model",
                        "system",
                        "tools",
                        "mcp_servers",
                        "skills",
                        "multiagent",
                        "execution_identity");
    }

    @Test
    void namedVersion_isPinned() {
        assertThat(snapshot(OptionalLong.of(1), Optional.empty()).path("system").stringValue())
                .isEqualTo("s");
    }

    @Test
    void overrides_replaceWhole_andKeepTheBasesName() {
        ObjectNode snapshot =
                snapshot(
                        OptionalLong.empty(),
                        Optional.of(
                                "{'type':'agent_with_overrides','id':'agent_1','model':'m',"
                                        + "'system':null,'tools':[],'mcp_servers':null,"
                                        + "'skills':[]}"));
        assertThat(snapshot.path("version").intValue()).isEqualTo(2);
        assertThat(snapshot.path("id").stringValue()).isEqualTo("agent_1");
        assertThat(snapshot.path("system").isNull()).isTrue();
        assertThat(snapshot.path("tools")).isEmpty();
        assertThat(snapshot.path("mcp_servers")).isEmpty();
        assertThat(snapshot.path("model").path("effort").path("type").stringValue())
                .isEqualTo("high");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'model':null} | model: cannot be cleared",
                "{'tools':[],'mcp_servers':[]} | skills: need",
                "{'mcp_servers':[]} | refers to x",
                "{'tools':[{'type':'agent_toolset_20260401'}]} | x needs an mcp_toolset",
                "{'tools':[{'type':'nothing'}]} | nothing is not a kind of tool"
            })
    void overridesThatDoNotFit_areRefused(String overrides, String words) {
        assertThatThrownBy(() -> snapshot(OptionalLong.empty(), Optional.of(overrides)))
                .isInstanceOf(ProblemException.class)
                .hasMessageContaining(words);
    }

    @Test
    void unknownAgentOrVersion_isNotFound_andAnArchivedOneInvalid() {
        assertThatThrownBy(() -> snapshot(OptionalLong.of(9), Optional.empty()))
                .hasMessage("version 9 of agent agent_1 does not exist");
        store.write(tx -> {
            AgentRows.archive(tx.handle(), "agent_1", tx.now());
            return true;
        });
        assertThatThrownBy(() -> snapshot(OptionalLong.empty(), Optional.empty()))
                .hasMessage("agent agent_1 is archived");
    }

    private ObjectNode snapshot(OptionalLong version, Optional<String> overrides) {
        return store.read(handle ->
                new Agents(RULES)
                        .snapshot(handle, "agent_1", version, overrides.map(SnapshotTest::fields)));
    }

    private static Fields fields(String json) {
        return new Fields("", Json.read(json.replace('\'', '"'), ObjectNode.class));
    }
}
