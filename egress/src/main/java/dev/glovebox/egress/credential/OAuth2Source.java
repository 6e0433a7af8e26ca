package dev.glovebox.egress.credential;

import dev.glovebox.protocol.Secret;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// An OAuth 2.0 access token: client credentials (RFC 6749 §4.4), or a refresh token (§6) where
/// there is one. The client proves itself by HTTP Basic (§2.3.1).
///
/// A server may exchange the refresh token with every use. The new one is held in memory and used
/// next; it is never written back, so after a restart the worker begins with the one at its source,
/// which such a server may no longer take. A new value at the source wins over the one in memory.
final class OAuth2Source implements SecretSource {
    private static final Duration UNSAID = Duration.ofMinutes(5);
    private static final Duration LONGEST = Duration.ofHours(24);

    private final URI tokenUrl;
    private final String clientId;
    private final SecretSource clientSecret;
    private final Optional<SecretSource> refreshToken;
    private final List<String> scopes;
    private final WorkerHttp http;
    private final InstantSource clock;
    private @Nullable Rotated rotated;

    /// The refresh token to use next.
    ///
    /// @param atSource what the source said when the server gave us another one
    private record Rotated(Secret atSource, Secret value) {}

    OAuth2Source(
            URI tokenUrl,
            String clientId,
            SecretSource clientSecret,
            Optional<SecretSource> refreshToken,
            List<String> scopes,
            WorkerHttp http,
            InstantSource clock) {
        this.tokenUrl = tokenUrl;
        this.clientId = clientId;
        this.clientSecret = clientSecret;
        this.refreshToken = refreshToken;
        this.scopes = List.copyOf(scopes);
        this.http = http;
        this.clock = clock;
    }

    @Override
    public Object stamp() {
        return List.of(clientSecret.stamp(), refreshToken.map(SecretSource::stamp).orElse(""));
    }

    @Override
    public Fetched fetch() throws CredentialException {
        Object stamp = stamp();
        Map<String, String> form = new LinkedHashMap<>();
        Optional<Secret> atSource = Optional.empty();
        if (refreshToken.isPresent()) {
            Secret read = refreshToken.get().fetch().value();
            atSource = Optional.of(read);
            boolean ours = rotated != null && rotated.atSource().equals(read);
            form.put("grant_type", "refresh_token");
            form.put("refresh_token", (ours && rotated != null ? rotated.value() : read).reveal());
        } else {
            form.put("grant_type", "client_credentials");
        }
        if (!scopes.isEmpty()) {
            form.put("scope", String.join(" ", scopes));
        }
        WorkerHttp.Reply reply = http.send(request(form));
        if (!reply.succeeded()) {
            throw refused(reply);
        }
        return granted(reply.body(), atSource, stamp);
    }

    private Fetched granted(JsonNode body, Optional<Secret> atSource, Object stamp)
            throws CredentialException {
        String type = body.path("token_type").asString("");
        if (!type.equalsIgnoreCase("bearer")) {
            throw new CredentialException(
                    tokenUrl.getHost() + " gave a token that is not of type Bearer");
        }
        String who = tokenUrl.getHost();
        Secret token = new Secret(WorkerHttp.Reply.text(body, "access_token", who));
        String next = body.path("refresh_token").asString("");
        if (!next.isEmpty() && atSource.isPresent()) {
            rotated = new Rotated(atSource.get(), new Secret(next));
        }
        long seconds = body.path("expires_in").asLong(UNSAID.toSeconds());
        Duration life = Duration.ofSeconds(Math.clamp(seconds, 1, LONGEST.toSeconds()));
        return new Fetched(token, clock.instant().plus(life), stamp);
    }

    private HttpRequest request(Map<String, String> form) throws CredentialException {
        String pair = encoded(clientId) + ":" + encoded(clientSecret.fetch().value().reveal());
        String body =
                form.entrySet().stream()
                        .map(each -> each.getKey() + "=" + encoded(each.getValue()))
                        .collect(Collectors.joining("&"));
        return HttpRequest.newBuilder(tokenUrl)
                .header("Accept", "application/json")
                .header("Content-Type", "application/x-www-form-urlencoded")
                .header(
                        "Authorization",
                        "Basic "
                                + Base64.getEncoder()
                                        .encodeToString(pair.getBytes(StandardCharsets.UTF_8)))
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
    }

    /// The error code of RFC 6749 §5.2 is for people; its description could repeat anything.
    private CredentialException refused(WorkerHttp.Reply reply) {
        String code = reply.body().path("error").asString("");
        return new CredentialException(
                tokenUrl.getHost()
                        + " answered "
                        + reply.status()
                        + (code.matches("[a-z_]{1,40}") ? " " + code : ""));
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }
}
