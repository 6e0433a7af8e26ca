package dev.glovebox.spec.clients;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.glovebox.spec.lab.Desk;
import dev.glovebox.spec.lab.Script;
import dev.glovebox.spec.lab.SdkError;
import dev.glovebox.spec.lab.SdkStream;
import dev.glovebox.spec.lab.TypeScriptSdk;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// The official TypeScript SDK, unmodified, as an application that drives our control plane.
class TypeScriptClientIT {
    private static final Duration SOON = Duration.ofSeconds(10);
    private static final Map<String, Object> TOOLSET = Map.of("type", "agent_toolset_20260401");

    private static Desk desk;
    private static TypeScriptSdk sdk;
    private static TypeScriptSdk.Client app;

    @BeforeAll
    static void open() {
        desk = Desk.open();
        sdk = TypeScriptSdk.against(desk.baseUrl());
        app = sdk.as(desk.apiKey());
    }

    @AfterAll
    static void close() {
        sdk.close();
        desk.close();
    }

    @Test
    void agents_createRetrieveUpdateListArchive() {
        JsonNode agent =
                app.call(
                        "beta.agents.create",
                        Map.of(
                                "name",
                                "first",
                                "model",
                                "glovebox-script",
                                "tools",
                                List.of(TOOLSET)));
        assertThat(agent.get("type").asString()).isEqualTo("agent");
        assertThat(agent.get("version").asInt()).isEqualTo(1);
        assertThat(agent.at("/model/id").asString()).isEqualTo("glovebox-script");
        assertThat(agent.at("/tools/0/default_config/permission_policy/type").asString())
                .isEqualTo("always_allow");
        String id = agent.get("id").asString();

        JsonNode second =
                app.call(
                        "beta.agents.update", id, Map.of("version", 1, "description", "says less"));
        assertThat(second.get("version").asInt()).isEqualTo(2);
        assertThat(second.get("name").asString()).isEqualTo("first");
        assertThat(app.call("beta.agents.retrieve", id).get("description").asString())
                .isEqualTo("says less");
        assertThat(
                        app.call("beta.agents.retrieve", id, Map.of("version", 1))
                                .get("version")
                                .asInt())
                .isEqualTo(1);
        assertThat(app.all("beta.agents.versions.list", id)).hasSize(2);

        SdkError stale =
                thrown(() ->
                        app.call("beta.agents.update", id, Map.of("version", 1, "name", "late")));
        assertThat(stale.name()).isEqualTo("ConflictError");
        assertThat(stale.shouldRetry()).isEqualTo("false");

        assertThat(app.call("beta.agents.archive", id).get("archived_at").isNull()).isFalse();
        assertThat(app.all("beta.agents.list").stream().map(TypeScriptClientIT::id))
                .doesNotContain(id);
        assertThat(
                        app.all("beta.agents.list", Map.of("include_archived", true)).stream()
                                .map(TypeScriptClientIT::id))
                .contains(id);
    }

    @Test
    void environments_createRetrieveUpdateListArchiveDelete() {
        JsonNode environment =
                app.call(
                        "beta.environments.create",
                        Map.of("name", "workshop", "config", Map.of("type", "self_hosted")));
        String id = id(environment);
        assertThat(environment.at("/config/type").asString()).isEqualTo("self_hosted");
        assertThat(
                        app.call(
                                        "beta.environments.update",
                                        id,
                                        Map.of("description", "downstairs"))
                                .get("description")
                                .asString())
                .isEqualTo("downstairs");
        assertThat(app.all("beta.environments.list").stream().map(TypeScriptClientIT::id))
                .contains(id);

        SdkError twice =
                thrown(() ->
                        app.call(
                                "beta.environments.create",
                                Map.of(
                                        "name",
                                        "workshop",
                                        "config",
                                        Map.of("type", "self_hosted"))));
        assertThat(twice.name()).isEqualTo("ConflictError");

        assertThat(app.call("beta.environments.archive", id).get("archived_at").isNull()).isFalse();
        SdkError archived =
                thrown(() -> app.call("beta.environments.update", id, Map.of("description", "x")));
        assertThat(archived.status()).isEqualTo(400);
        assertThat(archived.code()).isEqualTo("environment_archived");

        String second =
                id(
                        app.call(
                                "beta.environments.create",
                                Map.of("name", "shed", "config", Map.of("type", "self_hosted"))));
        assertThat(app.call("beta.environments.delete", second).get("type").asString())
                .isEqualTo("environment_deleted");
        assertThat(thrown(() -> app.call("beta.environments.retrieve", second)).name())
                .isEqualTo("NotFoundError");
    }

    @Test
    void sessions_createRetrieveUpdateArchiveDelete() {
        String id = id(session(desk.agent()));
        JsonNode updated =
                app.call(
                        "beta.sessions.update",
                        id,
                        Map.of("title", "repair", "metadata", Map.of("ticket", "17")));
        assertThat(updated.get("title").asString()).isEqualTo("repair");
        JsonNode session = app.call("beta.sessions.retrieve", id);
        assertThat(session.get("status").asString()).isEqualTo("idle");
        assertThat(session.at("/metadata/ticket").asString()).isEqualTo("17");
        assertThat(session.get("resources").isArray()).isTrue();

        assertThat(app.call("beta.sessions.archive", id).get("status").asString())
                .isEqualTo("terminated");
        SdkError closed =
                thrown(() ->
                        app.call(
                                "beta.sessions.events.send",
                                id,
                                events(new Script().say("hello"))));
        assertThat(closed.name()).isEqualTo("BadRequestError");
        assertThat(app.call("beta.sessions.delete", id).get("type").asString())
                .isEqualTo("session_deleted");
        assertThat(thrown(() -> app.call("beta.sessions.retrieve", id)).name())
                .isEqualTo("NotFoundError");
    }

    @Test
    void sessions_listPagesInOrder() {
        String agent = desk.agent();
        List<String> made =
                List.of(
                        id(session(agent)),
                        id(session(agent)),
                        id(session(agent)),
                        id(session(agent)),
                        id(session(agent)));
        List<String> oldestFirst =
                app
                        .all(
                                "beta.sessions.list",
                                Map.of("agent_id", agent, "order", "asc", "limit", 2))
                        .stream()
                        .map(TypeScriptClientIT::id)
                        .toList();
        assertThat(oldestFirst).isEqualTo(made);
        assertThat(
                        app
                                .all("beta.sessions.list", Map.of("agent_id", agent, "limit", 2))
                                .stream()
                                .map(TypeScriptClientIT::id))
                .isEqualTo(made.reversed());
    }

    @Test
    void stream_deliversATurnInOrderAndHistoryAgrees() {
        String id = id(session(desk.agent()));
        try (SdkStream stream = app.open("beta.sessions.events.stream", id)) {
            JsonNode sent =
                    app.call(
                            "beta.sessions.events.send",
                            id,
                            events(new Script().say("first").say("second")));
            String message = sent.at("/data/0/id").asString();
            assertThat(message).startsWith("sevt_");
            JsonNode idle = stream.await(SOON, event -> type(event).equals("session.status_idle"));
            assertThat(idle.at("/stop_reason/type").asString()).isEqualTo("end_turn");

            List<JsonNode> history = app.all("beta.sessions.events.list", id);
            assertThat(history.getLast()).isEqualTo(idle);
            assertThat(history.stream().map(TypeScriptClientIT::id))
                    .contains(message)
                    .doesNotHaveDuplicates();
            assertThat(
                            history.stream()
                                    .filter(event -> type(event).equals("agent.message"))
                                    .map(event -> event.at("/content/0/text").asString()))
                    .containsExactly("first", "second");
            List<String> streamed =
                    stream.events().stream().map(TypeScriptClientIT::id).distinct().toList();
            assertThat(history.stream().map(TypeScriptClientIT::id).toList()).containsAll(streamed);
            assertThat(
                            app.all(
                                    "beta.sessions.events.list",
                                    id,
                                    Map.of("types", List.of("agent.message"), "limit", 1)))
                    .hasSize(2);
        }
    }

    @Test
    void stream_saysThatTheSessionWasDeletedAndEnds() {
        String id = id(session(desk.agent()));
        SdkStream stream = app.open("beta.sessions.events.stream", id);
        app.call("beta.sessions.delete", id);
        stream.await(SOON, event -> type(event).equals("session.deleted"));
        stream.awaitEnd(SOON);
    }

    @Test
    void errors_areTypedAndCarryARequestId() {
        SdkError missing = thrown(() -> app.call("beta.sessions.retrieve", "sesn_nobody"));
        assertThat(missing.name()).isEqualTo("NotFoundError");
        assertThat(missing.type()).isEqualTo("not_found_error");
        assertThat(missing.requestId()).startsWith("req_");

        SdkError stranger = thrown(() -> sdk.as("sk-ant-api03-wrong").call("beta.agents.list"));
        assertThat(stranger.name()).isEqualTo("AuthenticationError");
        assertThat(stranger.type()).isEqualTo("authentication_error");

        SdkError wrong =
                thrown(() ->
                        app.call(
                                "beta.agents.create",
                                Map.of("name", 5, "model", "glovebox-script")));
        assertThat(wrong.name()).isEqualTo("BadRequestError");
        assertThat(wrong.text()).contains("name");
    }

    private static JsonNode session(String agent) {
        return app.call(
                "beta.sessions.create",
                Map.of("agent", agent, "environment_id", desk.environmentId()));
    }

    private static Map<String, Object> events(Script script) {
        return Map.of("events", List.of(script.message()));
    }

    private static SdkError thrown(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
        SdkError error = catchThrowableOfType(SdkError.class, call);
        assertThat(error).as("the SDK throws").isNotNull();
        return error;
    }

    private static String id(JsonNode object) {
        return object.get("id").asString();
    }

    private static String type(JsonNode object) {
        return object.get("type").asString();
    }
}
