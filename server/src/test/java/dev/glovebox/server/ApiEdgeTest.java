package dev.glovebox.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// What holds for every request, shown on the environment keys.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ApiEdgeTest {
    private TestDesk desk;

    @BeforeAll
    void start() {
        desk = new TestDesk((_, _) -> new dev.glovebox.protocol.brain.Brain.Next.EndTurn());
    }

    @AfterAll
    void stop() {
        desk.close();
    }

    private String keys() {
        return "/glovebox/v1/environments/" + desk.environment() + "/keys";
    }

    @Test
    void healthzNeedsNoCredential() {
        var answer = desk.send(java.net.http.HttpRequest.newBuilder(desk.uri("/healthz")));
        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.json().path("status").stringValue()).isEqualTo("ok");
    }

    @Test
    void firstStartLeavesCredentialsForItsOwnerAlone() throws IOException {
        assertThat(Files.getPosixFilePermissions(desk.credentialsFile()))
                .isEqualTo(PosixFilePermissions.fromString("rw-------"));
        assertThat(desk.apiKey()).startsWith("sk-ant-api03-");
        assertThat(desk.environmentKey()).startsWith("sk-ant-oat01-");
    }

    @Test
    void noCredentialIsStoredInTheClear() throws IOException {
        desk.post(keys(), "{}").ok();
        try (var files = Files.list(desk.directory())) {
            for (var file : files.filter(f -> f.toString().contains("control.db")).toList()) {
                String bytes = Files.readString(file, java.nio.charset.StandardCharsets.ISO_8859_1);
                assertThat(bytes).doesNotContain("sk-ant-");
            }
        }
    }

    @Test
    void bothHeaderStylesAreAccepted() {
        assertThat(desk.get(keys()).status()).isEqualTo(200);
        var old =
                desk.send(
                        java.net.http.HttpRequest.newBuilder(desk.uri(keys() + "?beta=true"))
                                .header("x-api-key", desk.apiKey())
                                .header("anthropic-version", "2023-06-01"));
        assertThat(old.status()).isEqualTo(200);
    }

    @Test
    void missingOrWrongCredentialIsRefusedWithTheEnvelope() {
        var none = desk.send(java.net.http.HttpRequest.newBuilder(desk.uri(keys())));
        assertThat(none.status()).isEqualTo(401);
        assertThat(none.errorType()).isEqualTo("authentication_error");
        assertThat(none.json().path("type").stringValue()).isEqualTo("error");
        assertThat(none.json().path("request_id").stringValue())
                .startsWith("req_")
                .isEqualTo(none.header("request-id"));
        assertThat(desk.get(keys(), "sk-ant-api03-guess").status()).isEqualTo(401);
    }

    @Test
    void credentialOfTheWrongKindIsForbidden() {
        var answer = desk.get(keys(), desk.environmentKey());
        assertThat(answer.status()).isEqualTo(403);
        assertThat(answer.errorType()).isEqualTo("permission_error");
    }

    @Test
    void unknownPathAndWrongMethodAreToldApart() {
        assertThat(desk.get("/v1/nothing").status()).isEqualTo(404);
        assertThat(desk.get("/v1/nothing").errorType()).isEqualTo("not_found_error");
        assertThat(desk.delete(keys()).status()).isEqualTo(405);
    }

    @Test
    void malformedBodiesAreRefusedByPlace() {
        assertThat(desk.post(keys(), "{\"name\":").status()).isEqualTo(400);
        assertThat(desk.post(keys(), "[]").message()).contains("must be a JSON object");
        assertThat(desk.post(keys(), "{\"name\":1}").message()).isEqualTo("name: must be a string");
        assertThat(desk.post(keys(), "{\"nmae\":\"x\"}").message())
                .isEqualTo("nmae: is not a field of this request");
        assertThat(desk.post(keys(), "{\"name\":\"a\",\"name\":\"b\"}").status()).isEqualTo(400);
        assertThat(desk.post(keys(), "{\"name\":\"a\"} x").status()).isEqualTo(400);
        assertThat(desk.post(keys(), "{\"a\":".repeat(100_000)).status()).isEqualTo(400);
    }

    @Test
    void bodyOver32MegabytesIsRefusedUnread() {
        String body = "{\"name\":\"" + "x".repeat(33 * 1024 * 1024) + "\"}";
        var announced = desk.post(keys(), body);
        assertThat(announced.status()).isEqualTo(413);
        assertThat(announced.errorType()).isEqualTo("request_too_large");
    }

    @Test
    void keysAreListedInPagesAndRevokedAtOnce() {
        var first = desk.post(keys(), "{\"name\":\"one\"}").ok();
        desk.post(keys(), "{\"name\":\"two\"}").ok();
        String key = first.path("key").stringValue();
        assertThat(desk.get(keys(), key).status()).isEqualTo(403);

        var page = desk.get(keys() + "?limit=1").ok();
        assertThat(page.path("data").size()).isEqualTo(1);
        assertThat(page.path("data").get(0).has("key")).isFalse();
        String cursor = page.path("next_page").stringValue();
        var next = desk.get(keys() + "?limit=1&page=" + cursor).ok();
        assertThat(next.path("data").get(0)).isNotEqualTo(page.path("data").get(0));
        assertThat(desk.get(keys() + "?page=").status()).isEqualTo(200);
        assertThat(desk.get(keys() + "?page=zzz").message()).contains("page:");
        assertThat(desk.get(keys() + "?limit=0").message()).contains("limit:");

        String id = first.path("id").stringValue();
        assertThat(desk.delete(keys() + "/" + id).ok().path("type").stringValue())
                .isEqualTo("environment_key_deleted");
        assertThat(desk.get(keys(), key).status()).isEqualTo(401);
        assertThat(desk.delete(keys() + "/envkey_none").status()).isEqualTo(404);
    }

    @Test
    void restartKeepsTheCredentials() {
        String before = desk.apiKey();
        desk.restart();
        assertThat(desk.get(keys(), before).status()).isEqualTo(200);
    }
}
