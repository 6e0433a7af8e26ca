package dev.glovebox.sandbox.image;

import dev.glovebox.sandbox.image.ImageException.Band;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// One repository of a registry, read by the OCI distribution specification: `GET` of manifests and
/// blobs, a token if it asks for one.
///
/// Credentials leave this process only for the registry itself, or for the token service that the
/// registry names in an answer of its own, and only when asked. A redirect to another place carries
/// none, and what that place answers, a demand for credentials included, is an answer and no more.
/// At most five redirects; every answer that is held in memory has a limit. The body of a blob has
/// no time limit here: who reads it closes it at the deadline of the pull.
final class RegistrySource implements BlobSource, AutoCloseable {
    private static final Duration CONNECT = Duration.ofSeconds(15);
    private static final Duration ANSWER = Duration.ofSeconds(60);
    private static final int REDIRECTS = 5;
    private static final int TOKEN_BYTES = 64 * 1024;
    private static final Pattern CHALLENGE = Pattern.compile("(\\w{1,32})=\"([^\"]{0,2048})\"");
    private static final Pattern TOKEN = Pattern.compile("[\\x21-\\x7e]{1,32768}");

    private final HttpClient http;
    private final Reference.Remote reference;
    private final RegistryOrigin origin;
    private final AuthFile credentials;
    private final int documentBytes;
    private @Nullable String authorization;

    RegistrySource(
            Reference.Remote reference,
            RegistryOrigin origin,
            AuthFile credentials,
            SSLContext trust,
            int documentBytes) {
        this.http =
                HttpClient.newBuilder()
                        .followRedirects(HttpClient.Redirect.NEVER)
                        .connectTimeout(CONNECT)
                        .sslContext(trust)
                        .build();
        this.reference = reference;
        this.origin = origin;
        this.credentials = credentials;
        this.documentBytes = documentBytes;
    }

    @Override
    public Document manifest(Optional<Digest> digest) throws IOException {
        String wanted = digest.map(Digest::toString).orElse(reference.tag());
        List<String> types = new ArrayList<>(Manifest.IMAGE_TYPES);
        types.addAll(Manifest.INDEX_TYPES);
        HttpResponse<InputStream> answer = get("manifests/" + wanted, String.join(", ", types));
        String type = answer.headers().firstValue("content-type").orElse("");
        byte[] content = whole(answer, documentBytes, "the manifest");
        return Document.of(content, type.replaceFirst("\\s*;.*", "").strip());
    }

    @Override
    public InputStream blob(Descriptor descriptor) throws IOException {
        return get("blobs/" + descriptor.digest(), "*/*").body();
    }

    @Override
    public void close() {
        http.shutdownNow();
    }

    private HttpResponse<InputStream> get(String part, String accept) throws IOException {
        URI uri = origin.base().resolve("/v2/" + reference.repository() + "/" + part);
        boolean asked = false;
        for (int redirects = 0; redirects <= REDIRECTS; ) {
            boolean own = origin.isAt(uri);
            HttpResponse<InputStream> answer = send(uri, accept, own ? authorization : null);
            int status = answer.statusCode();
            if (status == 200) {
                return answer;
            }
            answer.body().close();
            if (status == 401 && own && !asked) {
                asked = true;
                authorization = authorization(uri, answer);
            } else if (status == 301
                    || status == 302
                    || status == 303
                    || status == 307
                    || status == 308) {
                String location = answer.headers().firstValue("location").orElse("");
                uri = origin.named(uri, location);
                redirects++;
            } else {
                throw refused(uri, status);
            }
        }
        throw new ImageException(
                Band.REGISTRY, host() + " redirects more than " + REDIRECTS + " times");
    }

    private HttpResponse<InputStream> send(URI uri, String accept, @Nullable String authorization)
            throws IOException {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(uri)
                        .timeout(ANSWER)
                        .header("Accept", accept)
                        .header("User-Agent", "glovebox");
        if (authorization != null) {
            request.header("Authorization", authorization);
        }
        try {
            return http.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    private String authorization(URI uri, HttpResponse<?> answer) throws IOException {
        String challenge = answer.headers().firstValue("www-authenticate").orElse("");
        Optional<String> basic = credentials.basic(reference.host());
        String scheme = challenge.replaceFirst("\\s.*", "").toLowerCase(Locale.ROOT);
        if (scheme.equals("basic") && basic.isPresent()) {
            return basic.get();
        }
        if (!scheme.equals("bearer")) {
            throw refused(uri, 401);
        }
        Map<String, String> parts = new HashMap<>();
        Matcher matcher = CHALLENGE.matcher(challenge);
        while (matcher.find()) {
            parts.put(matcher.group(1).toLowerCase(Locale.ROOT), matcher.group(2));
        }
        return "Bearer " + token(uri, parts, basic);
    }

    private String token(URI uri, Map<String, String> challenge, Optional<String> basic)
            throws IOException {
        String query = "scope=" + encode("repository:" + reference.repository() + ":pull");
        if (challenge.containsKey("service")) {
            query = "service=" + encode(challenge.get("service")) + "&" + query;
        }
        String realm = challenge.getOrDefault("realm", "");
        URI service = origin.named(uri, realm + (realm.contains("?") ? "&" : "?") + query);
        HttpResponse<InputStream> answer = send(service, "application/json", basic.orElse(null));
        if (answer.statusCode() != 200) {
            answer.body().close();
            throw refused(service, answer.statusCode());
        }
        JsonNode json =
                Manifest.json(whole(answer, TOKEN_BYTES, "the token"), "the token's answer");
        String token = json.path("token").asString(json.path("access_token").asString(""));
        if (!TOKEN.matcher(token).matches()) {
            throw new ImageException(Band.REGISTRY, service.getHost() + " gave no proper token");
        }
        return token;
    }

    private byte[] whole(HttpResponse<InputStream> answer, int limit, String what)
            throws IOException {
        try (InputStream body = answer.body()) {
            byte[] content = body.readNBytes(limit + 1);
            if (content.length > limit) {
                throw ImageException.image(what + " is longer than " + limit + " bytes");
            }
            return content;
        }
    }

    private ImageException refused(URI uri, int status) {
        String name = host() + "/" + reference.repository();
        return switch (status) {
            case 401, 403 ->
                    new ImageException(
                            Band.CALLER,
                            uri.getAuthority()
                                    + " refuses "
                                    + name
                                    + ", status "
                                    + status
                                    + ": it is not there, or needs credentials of the auth file");
            case 404 ->
                    new ImageException(
                            Band.CALLER, "there is no such image, or part of it: " + name);
            default ->
                    new ImageException(
                            Band.REGISTRY,
                            uri.getAuthority() + " answers for " + name + " with status " + status);
        };
    }

    private String host() {
        return reference.host();
    }

    private static String encode(@Nullable String text) {
        return URLEncoder.encode(text == null ? "" : text, StandardCharsets.UTF_8);
    }
}
