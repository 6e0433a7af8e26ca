package dev.glovebox.egress.credential;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.Secret;
import java.net.InetAddress;
import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.interfaces.RSAPrivateKey;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// The services that hold secrets, played by servers that answer as their published interfaces say.
class SecretServicesTest {
    private final SetClock clock = new SetClock();
    private final WorkerHttp http = new WorkerHttp();
    private String given = "given";

    private SecretSource source(String value) {
        return () -> new SecretSource.Fetched(new Secret(value), Instant.MAX, "");
    }

    private final SecretSource changing =
            new SecretSource() {
                @Override
                public Fetched fetch() {
                    return new Fetched(new Secret(given), Instant.MAX, given);
                }

                @Override
                public Object stamp() {
                    return given;
                }
            };

    private static String basic(String pair) {
        return "Basic " + Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8));
    }

    /// Vault's HTTP API, as far as a reader of secrets meets it.
    private static final class FakeVault {
        private final Set<String> tokens = new HashSet<>(Set.of("s.given"));
        private int logins;
        private int renewals;
        private boolean renewable = true;
        private String value = "hush";

        FakeApi.Answer answer(FakeApi.Asked asked) {
            if (asked.line().equals("POST /v1/auth/approle/login")) {
                JsonNode proof = Json.tree(asked.body());
                if (!proof.path("secret_id").asString("").equals("sid")
                        || !proof.path("role_id").asString("").equals("rid")) {
                    return new FakeApi.Answer(400, "{\"errors\":[\"invalid role or secret ID\"]}");
                }
                String token = "s.login" + ++logins;
                tokens.add(token);
                return new FakeApi.Answer(
                        200, "{\"auth\":{\"client_token\":\"" + token + "\"" + lease());
            }
            if (!tokens.contains(asked.header("X-Vault-Token"))) {
                return new FakeApi.Answer(403, "{\"errors\":[\"permission denied\"]}");
            }
            return switch (asked.line()) {
                case "GET /v1/auth/token/lookup-self" ->
                        new FakeApi.Answer(200, "{\"data\":{\"ttl\":900,\"renewable\":true}}");
                case "POST /v1/auth/token/renew-self" -> {
                    renewals++;
                    yield new FakeApi.Answer(200, "{\"auth\":{\"client_token\":\"x\"" + lease());
                }
                case "GET /v1/secret/data/app" ->
                        new FakeApi.Answer(
                                200,
                                "{\"lease_duration\":0,\"data\":{\"data\":{\"key\":\""
                                        + value
                                        + "\"},\"metadata\":{\"version\":3}}}");
                case "GET /v1/kv/app" ->
                        new FakeApi.Answer(
                                200,
                                "{\"lease_duration\":60,\"data\":{\"key\":\"" + value + "\"}}");
                default -> new FakeApi.Answer(404, "{\"errors\":[]}");
            };
        }

        private String lease() {
            return ",\"lease_duration\":900,\"renewable\":" + renewable + "}}";
        }
    }

    private VaultSource vault(FakeApi api, String path, VaultSource.Auth auth) {
        return new VaultSource(
                new VaultSource.Place(api.url(), Optional.of("team"), path, "key"),
                auth,
                http,
                clock);
    }

    @Test
    void vault_bothVersionsOfTheEngine_withAGivenToken() throws Exception {
        FakeVault service = new FakeVault();
        try (FakeApi api = new FakeApi(service::answer)) {
            VaultSource.Auth auth = new VaultSource.Auth.Given(source("s.given"));
            SecretSource.Fetched second = vault(api, "secret/data/app", auth).fetch();
            assertThat(second.value().reveal()).isEqualTo("hush");
            assertThat(second.expires()).isEqualTo(clock.instant().plusSeconds(300));
            SecretSource.Fetched first = vault(api, "kv/app", auth).fetch();
            assertThat(first.value().reveal()).isEqualTo("hush");
            assertThat(first.expires()).isEqualTo(clock.instant().plusSeconds(60));
            assertThat(api.asked())
                    .allMatch(each -> each.header("X-Vault-Namespace").equals("team"))
                    .allMatch(each -> each.header("X-Vault-Request").equals("true"));
            assertThatThrownBy(() -> vault(api, "kv/none", auth).fetch())
                    .hasMessageContaining("answered 404 to reading kv/none");
            assertThatThrownBy(() ->
                            vault(api, "kv/app", new VaultSource.Auth.Given(source("s.bad")))
                                    .fetch())
                    .hasMessageContaining("answered 403 to the token")
                    .message()
                    .doesNotContain("s.bad");
        }
    }

    @Test
    void vault_roleLogsInOnce_isRenewed_andLogsInAnewWhenItMust() throws Exception {
        FakeVault service = new FakeVault();
        try (FakeApi api = new FakeApi(service::answer)) {
            VaultSource source =
                    vault(
                            api,
                            "secret/data/app",
                            new VaultSource.Auth.AppRole("approle", "rid", source("sid")));
            source.fetch();
            source.fetch();
            assertThat(service.logins).isEqualTo(1);
            assertThat(service.renewals).isZero();

            clock.advance(Duration.ofSeconds(601));
            source.fetch();
            assertThat(service.renewals).isEqualTo(1);
            assertThat(service.logins).isEqualTo(1);

            service.tokens.clear();
            service.value = "changed";
            assertThat(source.fetch().value().reveal()).as("revoked").isEqualTo("changed");
            assertThat(service.logins).isEqualTo(2);

            clock.advance(Duration.ofSeconds(901));
            source.fetch();
            assertThat(service.logins).as("expired").isEqualTo(3);
        }
    }

    @Test
    void oauth2_clientCredentials() throws Exception {
        try (FakeApi api =
                new FakeApi(asked ->
                        asked.header("Authorization").equals(basic("me:s%3A+x"))
                                ? new FakeApi.Answer(
                                        200,
                                        "{\"access_token\":\"tok\",\"token_type\":\"bearer\",\"expires_in\":30}")
                                : new FakeApi.Answer(
                                        401,
                                        "{\"error\":\"invalid_client\",\"error_description\":\"hush\"}"))) {
            SecretSource.Fetched token = oauth2(api, source("s: x"), Optional.empty()).fetch();
            assertThat(token.value().reveal()).isEqualTo("tok");
            assertThat(token.expires()).isEqualTo(clock.instant().plusSeconds(30));
            assertThat(api.asked().getFirst().body())
                    .isEqualTo("grant_type=client_credentials&scope=read+write");
            assertThatThrownBy(() -> oauth2(api, source("wrong"), Optional.empty()).fetch())
                    .hasMessageContaining("answered 401 invalid_client")
                    .message()
                    .doesNotContain("hush")
                    .doesNotContain("wrong");
        }
    }

    private OAuth2Source oauth2(FakeApi api, SecretSource secret, Optional<SecretSource> refresh) {
        return new OAuth2Source(
                api.url().resolve("/token"),
                "me",
                secret,
                refresh,
                List.of("read", "write"),
                http,
                clock);
    }

    @Test
    void oauth2_refreshTokenThatRotates_isHeldInMemoryAndTheSourceWinsWhenItChanges()
            throws Exception {
        given = "r0";
        try (FakeApi api =
                new FakeApi(asked -> {
                    String sent = asked.body().replaceAll(".*refresh_token=(r\\d+).*", "$1");
                    int next = Integer.parseInt(sent.substring(1)) + 1;
                    return new FakeApi.Answer(
                            200,
                            "{\"access_token\":\"a"
                                    + sent
                                    + "\",\"token_type\":\"Bearer\",\"refresh_token\":\"r"
                                    + next
                                    + "\"}");
                })) {
            OAuth2Source source = oauth2(api, source("secret"), Optional.of(changing));
            assertThat(source.fetch().value().reveal()).isEqualTo("ar0");
            assertThat(source.fetch().value().reveal()).isEqualTo("ar1");
            assertThat(source.fetch().value().reveal()).isEqualTo("ar2");
            Object before = source.stamp();
            given = "r70";
            assertThat(source.stamp()).isNotEqualTo(before);
            assertThat(source.fetch().value().reveal()).isEqualTo("ar70");
        }
    }

    @Test
    void githubApp_provesItselfWithItsKeyInEitherForm() throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
        generator.initialize(2048);
        KeyPair pair = generator.generateKeyPair();
        String expires = clock.instant().plusSeconds(1200).toString();
        try (FakeApi api =
                new FakeApi(asked ->
                        asked.line().equals("POST /app/installations/42/access_tokens")
                                        && proves(asked, pair)
                                ? new FakeApi.Answer(
                                        201,
                                        "{\"token\":\"ghs_x\",\"expires_at\":\"" + expires + "\"}")
                                : new FakeApi.Answer(401, "{}"))) {
            byte[] pkcs8 = pair.getPrivate().getEncoded();
            byte[] pkcs1 = Arrays.copyOfRange(pkcs8, 26, pkcs8.length);
            assertThat(((RSAPrivateKey) pair.getPrivate()).getModulus().bitLength())
                    .isEqualTo(2048);
            for (String pem : List.of(pem("PRIVATE KEY", pkcs8), pem("RSA PRIVATE KEY", pkcs1))) {
                SecretSource.Fetched token = github(api, pem).fetch();
                assertThat(token.value().reveal()).isEqualTo("ghs_x");
                assertThat(token.expires()).isEqualTo(expires);
            }
            String other =
                    pem("PRIVATE KEY", generator.generateKeyPair().getPrivate().getEncoded());
            assertThatThrownBy(() -> github(api, other).fetch())
                    .hasMessageContaining("answered 401 to installation 42");
            assertThatThrownBy(() -> github(api, "hush").fetch())
                    .hasMessageContaining("not exactly one private key")
                    .message()
                    .doesNotContain("hush");
        }
    }

    private GithubAppSource github(FakeApi api, String pem) {
        return new GithubAppSource(api.url(), "Iv1", "42", source(pem), http, clock);
    }

    private boolean proves(FakeApi.Asked asked, KeyPair pair) {
        String[] parts =
                asked.header("Authorization").substring("Bearer ".length()).split("\\.", -1);
        try {
            Signature verifier = Signature.getInstance("SHA256withRSA");
            verifier.initVerify(pair.getPublic());
            verifier.update((parts[0] + "." + parts[1]).getBytes(StandardCharsets.US_ASCII));
            JsonNode claims =
                    Json.tree(
                            new String(
                                    Base64.getUrlDecoder().decode(parts[1]),
                                    StandardCharsets.UTF_8));
            long now = clock.instant().getEpochSecond();
            return verifier.verify(Base64.getUrlDecoder().decode(parts[2]))
                    && claims.path("iss").asString("").equals("Iv1")
                    && claims.path("iat").asLong() < now
                    && claims.path("exp").asLong() <= now + 600;
        } catch (java.security.GeneralSecurityException e) {
            return false;
        }
    }

    private static String pem(String label, byte[] der) {
        return "-----BEGIN "
                + label
                + "-----\n"
                + Base64.getMimeEncoder().encodeToString(der)
                + "\n-----END "
                + label
                + "-----\n";
    }

    @Test
    void redirectOfATokenService_isNotFollowed() throws Exception {
        try (FakeApi api = new FakeApi(_ -> new FakeApi.Answer(307, ""))) {
            assertThatThrownBy(() -> oauth2(api, source("s"), Optional.empty()).fetch())
                    .hasMessageContaining("answered 307");
            assertThat(api.asked()).hasSize(1);
        }
    }

    @Test
    void nameThatLeadsToTheMetadataService_isNotAsked() throws Exception {
        try (FakeApi api = new FakeApi(_ -> new FakeApi.Answer(200, "{\"ok\":true}"))) {
            HttpRequest good = HttpRequest.newBuilder(api.url()).build();
            assertThat(http.send(good).body().path("ok").asBoolean()).isTrue();
            for (String address :
                    List.of(
                            "169.254.169.254",
                            "fd00:ec2::254",
                            "169.254.9.9",
                            "fe80::1",
                            "198.18.0.5",
                            "0.0.0.0")) {
                WorkerHttp led =
                        new WorkerHttp(
                                _ ->
                                        new InetAddress[] {
                                            InetAddress.ofLiteral("127.0.0.1"),
                                            InetAddress.ofLiteral(address)
                                        },
                                Duration.ofSeconds(60));
                assertThatThrownBy(() -> led.send(good))
                        .as(address)
                        .hasMessageContaining("never asks");
            }
            WorkerHttp clear =
                    new WorkerHttp(
                            _ -> new InetAddress[] {InetAddress.ofLiteral("10.0.0.9")},
                            Duration.ofSeconds(60));
            assertThatThrownBy(() ->
                            clear.send(
                                    HttpRequest.newBuilder(URI.create("http://v.test/")).build()))
                    .hasMessageContaining("in the clear");
            assertThat(api.asked()).hasSize(1);
        }
    }
}
