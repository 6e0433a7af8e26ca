package dev.glovebox.egress.credential;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.Secret;
import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.Signature;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Base64;
import java.util.Map;

/// An installation token of a GitHub App: the app proves itself by a JSON Web Token signed with its
/// key (RS256, RFC 7515), and is given a token for one installation that lives an hour.
final class GithubAppSource implements SecretSource {
    private static final Duration SKEW = Duration.ofSeconds(60);
    private static final Duration PROOF = Duration.ofMinutes(9);
    private static final Duration LONGEST = Duration.ofHours(1);
    private static final Base64.Encoder URL = Base64.getUrlEncoder().withoutPadding();

    private final URI apiUrl;
    private final String appId;
    private final String installationId;
    private final SecretSource privateKey;
    private final WorkerHttp http;
    private final InstantSource clock;

    /// @param apiUrl `https://api.github.com`, or `https://HOST/api/v3` of a server of one's own
    /// @param privateKey source of the app's key in PEM, PKCS#1 or PKCS#8
    GithubAppSource(
            URI apiUrl,
            String appId,
            String installationId,
            SecretSource privateKey,
            WorkerHttp http,
            InstantSource clock) {
        this.apiUrl = apiUrl;
        this.appId = appId;
        this.installationId = installationId;
        this.privateKey = privateKey;
        this.http = http;
        this.clock = clock;
    }

    @Override
    public Object stamp() {
        return privateKey.stamp();
    }

    @Override
    public Fetched fetch() throws CredentialException {
        Object stamp = stamp();
        String base = apiUrl.toString().replaceAll("/+$", "");
        HttpRequest request =
                HttpRequest.newBuilder(
                                URI.create(
                                        base
                                                + "/app/installations/"
                                                + installationId
                                                + "/access_tokens"))
                        .header("Accept", "application/vnd.github+json")
                        .header("X-GitHub-Api-Version", "2022-11-28")
                        .header("User-Agent", "glovebox")
                        .header("Authorization", "Bearer " + proof())
                        .POST(HttpRequest.BodyPublishers.noBody())
                        .build();
        WorkerHttp.Reply reply = http.send(request);
        String who = String.valueOf(apiUrl.getHost());
        if (!reply.succeeded()) {
            throw new CredentialException(
                    who + " answered " + reply.status() + " to installation " + installationId);
        }
        Secret token = new Secret(WorkerHttp.Reply.text(reply.body(), "token", who));
        return new Fetched(token, expiry(reply, who), stamp);
    }

    private Instant expiry(WorkerHttp.Reply reply, String who) throws CredentialException {
        Instant longest = clock.instant().plus(LONGEST);
        try {
            Instant said = Instant.parse(WorkerHttp.Reply.text(reply.body(), "expires_at", who));
            return said.isBefore(longest) ? said : longest;
        } catch (DateTimeException e) {
            throw new CredentialException(who + " answered without a time of expires_at", e);
        }
    }

    private String proof() throws CredentialException {
        Instant now = clock.instant();
        String claims =
                part(Map.of("alg", "RS256", "typ", "JWT"))
                        + "."
                        + part(
                                Map.of(
                                        "iat",
                                        now.minus(SKEW).getEpochSecond(),
                                        "exp",
                                        now.plus(PROOF).getEpochSecond(),
                                        "iss",
                                        appId));
        PrivateKey key = PemKeys.privateKey(privateKey.fetch().value());
        try {
            Signature signature = Signature.getInstance("SHA256withRSA");
            signature.initSign(key);
            signature.update(claims.getBytes(StandardCharsets.US_ASCII));
            return claims + "." + URL.encodeToString(signature.sign());
        } catch (GeneralSecurityException e) {
            throw new CredentialException("the key of app " + appId + " is no RSA key", e);
        }
    }

    private static String part(Map<String, Object> members) {
        return URL.encodeToString(Json.writeBytes(members));
    }
}
