package dev.glovebox.egress.credential;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.Secret;
import java.net.URI;
import java.net.http.HttpRequest;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// One field of a secret in HashiCorp Vault or OpenBao, key/value engine version 1 or 2, by their
/// HTTP API (`/v1/PATH`, `X-Vault-Token`, `X-Vault-Namespace`).
///
/// A value is read again after five minutes, or sooner if its lease ends sooner. A token of our own
/// (AppRole) or one that was given is renewed when two thirds of its life are over, if it can be;
/// when it cannot, AppRole logs in anew, and a token that was given is read anew from its source. A
/// token lives in memory only.
final class VaultSource implements SecretSource {
    private static final Duration MAX_AGE = Duration.ofMinutes(5);

    private final Place place;
    private final Auth auth;
    private final WorkerHttp http;
    private final InstantSource clock;
    private @Nullable Token token;

    /// Where the secret is.
    ///
    /// @param url of the server, as `https://vault.example.com:8200`
    /// @param namespace of the enterprise edition or OpenBao
    /// @param path as the API has it: `secret/data/app` for version 2, `kv/app` for version 1
    /// @param field of the secret
    record Place(URI url, Optional<String> namespace, String path, String field) {}

    /// How the worker proves itself.
    sealed interface Auth {
        /// A token that somebody else made.
        record Given(SecretSource token) implements Auth {}

        /// The AppRole method.
        ///
        /// @param mount where the method is mounted, `approle` unless told otherwise
        record AppRole(String mount, String roleId, SecretSource secretId) implements Auth {}
    }

    private record Token(
            Secret value, Instant expires, Instant renew, boolean renewable, Object stamp) {}

    VaultSource(Place place, Auth auth, WorkerHttp http, InstantSource clock) {
        this.place = place;
        this.auth = auth;
        this.http = http;
        this.clock = clock;
    }

    @Override
    public Object stamp() {
        return credentials().stamp();
    }

    private SecretSource credentials() {
        return switch (auth) {
            case Auth.Given(SecretSource source) -> source;
            case Auth.AppRole(_, _, SecretSource source) -> source;
        };
    }

    @Override
    public Fetched fetch() throws CredentialException {
        Object stamp = stamp();
        boolean fresh = token == null;
        Token used = token(stamp);
        WorkerHttp.Reply reply = read(used);
        if (reply.status() == 403 && !fresh) {
            token = null;
            reply = read(token(stamp));
        }
        if (!reply.succeeded()) {
            throw refused("reading " + place.path(), reply);
        }
        JsonNode data = reply.body().path("data");
        boolean second = data.path("data").isObject() && data.path("metadata").isObject();
        JsonNode fields = second ? data.path("data") : data;
        String value = WorkerHttp.Reply.text(fields, place.field(), "vault");
        long lease = second ? 0 : reply.body().path("lease_duration").asLong(0);
        Duration age = lease > 0 ? Duration.ofSeconds(lease) : MAX_AGE;
        Instant expires = clock.instant().plus(age.compareTo(MAX_AGE) < 0 ? age : MAX_AGE);
        return new Fetched(new Secret(value), expires, stamp);
    }

    private WorkerHttp.Reply read(Token used) throws CredentialException {
        return http.send(request(place.path(), Optional.of(used.value())).GET().build());
    }

    private Token token(Object stamp) throws CredentialException {
        Token held = token;
        Instant now = clock.instant();
        if (held == null || !held.stamp().equals(stamp) || !now.isBefore(held.expires())) {
            held = logIn(stamp);
        } else if (held.renewable() && !now.isBefore(held.renew())) {
            Token renewed = renew(held);
            held = renewed == null ? logIn(stamp) : renewed;
        }
        token = held;
        return held;
    }

    private Token logIn(Object stamp) throws CredentialException {
        Secret secret = credentials().fetch().value();
        if (!(auth instanceof Auth.AppRole(String mount, String roleId, _))) {
            WorkerHttp.Reply reply =
                    http.send(request("auth/token/lookup-self", Optional.of(secret)).GET().build());
            if (!reply.succeeded()) {
                throw refused("the token", reply);
            }
            JsonNode data = reply.body().path("data");
            return lease(secret, data.path("ttl"), data.path("renewable"), stamp);
        }
        Map<String, String> proof = Map.of("role_id", roleId, "secret_id", secret.reveal());
        WorkerHttp.Reply reply =
                http.send(
                        request("auth/" + mount + "/login", Optional.empty())
                                .POST(
                                        HttpRequest.BodyPublishers.ofByteArray(
                                                Json.writeBytes(proof)))
                                .build());
        if (!reply.succeeded()) {
            throw refused("the login of the role", reply);
        }
        JsonNode granted = reply.body().path("auth");
        Secret value = new Secret(WorkerHttp.Reply.text(granted, "client_token", "vault"));
        return lease(value, granted.path("lease_duration"), granted.path("renewable"), stamp);
    }

    private @Nullable Token renew(Token held) throws CredentialException {
        WorkerHttp.Reply reply =
                http.send(
                        request("auth/token/renew-self", Optional.of(held.value()))
                                .POST(HttpRequest.BodyPublishers.ofString("{}"))
                                .build());
        if (!reply.succeeded()) {
            return null;
        }
        JsonNode granted = reply.body().path("auth");
        return lease(
                held.value(),
                granted.path("lease_duration"),
                granted.path("renewable"),
                held.stamp());
    }

    private Token lease(Secret value, JsonNode seconds, JsonNode renewable, Object stamp) {
        long life = seconds.asLong(0);
        Instant now = clock.instant();
        Instant expires = life > 0 ? now.plusSeconds(life) : Instant.MAX;
        Instant renew = life > 0 ? now.plusSeconds(life * 2 / 3) : Instant.MAX;
        return new Token(value, expires, renew, renewable.asBoolean(false), stamp);
    }

    private HttpRequest.Builder request(String path, Optional<Secret> with) {
        String base = place.url().toString().replaceAll("/+$", "");
        HttpRequest.Builder request =
                HttpRequest.newBuilder(URI.create(base + "/v1/" + path))
                        .header("X-Vault-Request", "true");
        place.namespace().ifPresent(name -> request.header("X-Vault-Namespace", name));
        with.ifPresent(secret -> request.header("X-Vault-Token", secret.reveal()));
        return request;
    }

    private CredentialException refused(String what, WorkerHttp.Reply reply) {
        return new CredentialException(
                "vault " + place.url().getHost() + " answered " + reply.status() + " to " + what);
    }
}
