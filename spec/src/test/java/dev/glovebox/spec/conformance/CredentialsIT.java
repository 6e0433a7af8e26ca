package dev.glovebox.spec.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.glovebox.spec.lab.Desk;
import dev.glovebox.spec.lab.Script;
import dev.glovebox.spec.lab.SdkError;
import dev.glovebox.spec.lab.Talk;
import dev.glovebox.spec.lab.TypeScriptSdk;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Item 12 of the conformance checklist: which credential opens which door, by the acceptance
/// matrix.
class CredentialsIT {
    private static Desk desk;
    private static TypeScriptSdk sdk;
    private static Talk talk;
    private static String work;
    private static String token;

    @BeforeAll
    static void open() {
        desk = Desk.open();
        sdk = TypeScriptSdk.against(desk.baseUrl());
        talk = desk.talk().say(new Script().bash("true")).awaitAction(Duration.ofSeconds(60));
        JsonNode item =
                sdk.as(desk.environmentKey())
                        .call("beta.environments.work.poll", desk.environmentId());
        work = item.get("id").asString();
        byte[] payload = Base64.getUrlDecoder().decode(item.get("secret").asString());
        token =
                JsonMapper.shared()
                        .readTree(new String(payload, StandardCharsets.UTF_8))
                        .get("sessions_token")
                        .asString();
    }

    @AfterAll
    static void close() {
        sdk.close();
        desk.close();
    }

    private record Row(
            String method,
            List<Object> args,
            boolean apiKey,
            boolean environmentKey,
            boolean token) {}

    private static List<Row> matrix() {
        Map<String, String> environment = Map.of("environment_id", desk.environmentId());
        return List.of(
                new Row(
                        "beta.environments.work.list",
                        List.of(desk.environmentId()),
                        false,
                        true,
                        false),
                new Row(
                        "beta.environments.work.stats",
                        List.of(desk.environmentId()),
                        true,
                        true,
                        false),
                new Row(
                        "beta.environments.work.retrieve",
                        List.of(work, environment),
                        true,
                        false,
                        false),
                new Row(
                        "beta.environments.work.poll",
                        List.of(desk.environmentId()),
                        true,
                        true,
                        false),
                new Row("beta.sessions.retrieve", List.of(talk.id()), true, true, true),
                new Row("beta.sessions.events.list", List.of(talk.id()), true, true, true),
                new Row("beta.sessions.list", List.of(), true, false, false),
                new Row(
                        "beta.sessions.update",
                        List.of(talk.id(), Map.of("title", "x")),
                        true,
                        false,
                        false),
                new Row("beta.agents.list", List.of(), true, false, false),
                new Row(
                        "beta.environments.retrieve",
                        List.of(desk.environmentId()),
                        true,
                        false,
                        false),
                new Row("beta.memoryStores.list", List.of(), true, false, true));
    }

    @TestFactory
    List<DynamicTest> matrix_isKept() {
        return matrix().stream()
                .filter(row -> !row.method().startsWith("beta.memoryStores"))
                .map(row ->
                        DynamicTest.dynamicTest(
                                row.method(),
                                () -> {
                                    check(row, "api key", desk.apiKey(), row.apiKey());
                                    check(
                                            row,
                                            "environment key",
                                            desk.environmentKey(),
                                            row.environmentKey());
                                    check(row, "sessions token", token, row.token());
                                }))
                .toList();
    }

    @Test
    void environmentKey_neverOpensMemory() {
        assertThat(refusal("beta.memoryStores.list", desk.environmentKey(), List.of()))
                .isBetween(400, 499);
    }

    @Test
    void sessionsToken_opensOnlyItsOwnSession() {
        Talk other = desk.talk();
        assertThat(refusal("beta.sessions.retrieve", token, List.of(other.id()))).isIn(403, 404);
        assertThat(refusal("beta.sessions.events.list", token, List.of(other.id()))).isIn(403, 404);
        assertThat(
                        refusal(
                                "beta.sessions.events.send",
                                token,
                                List.of(
                                        other.id(),
                                        Map.of(
                                                "events",
                                                List.of(new Script().say("x").message())))))
                .isIn(403, 404);
    }

    @Test
    void environmentKey_opensOnlyItsOwnEnvironment() {
        JsonNode other =
                sdk.as(desk.apiKey())
                        .call(
                                "beta.environments.create",
                                Map.of("name", "other", "config", Map.of("type", "self_hosted")));
        assertThat(
                        refusal(
                                "beta.environments.work.poll",
                                desk.environmentKey(),
                                List.of(other.get("id").asString())))
                .isIn(403, 404);
    }

    private static void check(Row row, String kind, String credential, boolean accepted) {
        int status = refusal(row.method(), credential, row.args());
        if (accepted) {
            assertThat(status).as("%s with %s", row.method(), kind).isZero();
        } else {
            assertThat(status).as("%s with %s", row.method(), kind).isIn(401, 403, 404);
        }
    }

    /// The status the SDK threw, 0 when the call went through.
    private static int refusal(String method, String credential, List<?> args) {
        SdkError error =
                catchThrowableOfType(
                        SdkError.class, () -> sdk.as(credential).call(method, args.toArray()));
        return error == null ? 0 : error.status();
    }
}
