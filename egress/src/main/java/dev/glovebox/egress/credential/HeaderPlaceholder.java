package dev.glovebox.egress.credential;

import dev.glovebox.egress.http.HttpMessages;
import dev.glovebox.protocol.Secret;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpUtil;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Puts a secret in the place of the text that the sandbox holds instead of it: in the values of
/// headers, also within HTTP basic authentication, and in bodies if the policy says so.
///
/// Where it cannot be replaced - in the URL, the name of a header, a body that is packed or must
/// not be changed - the request is refused, so that no server ever learns it and none takes it for
/// a login that failed.
///
/// @param placeholder what the sandbox holds
/// @param bodies whether it is replaced in bodies too
record HeaderPlaceholder(String placeholder, boolean bodies, Secret secret) {
    private static final String BASIC = "basic ";

    Optional<HttpMessages.Fault> project(HttpRequest sent) {
        if (sent.uri().contains(placeholder)) {
            return fault("the URL");
        }
        for (Map.Entry<String, String> header : sent.headers().entries()) {
            if (header.getKey().contains(placeholder)) {
                return fault("the name of a header");
            }
        }
        for (String name : sent.headers().names()) {
            List<String> values = sent.headers().getAll(name);
            List<String> replaced = values.stream().map(this::replaced).toList();
            if (!replaced.equals(values)) {
                sent.headers().set(name, replaced);
            }
        }
        boolean packed =
                sent.headers().contains(HttpHeaderNames.CONTENT_ENCODING)
                        && !sent.headers()
                                .containsValue(HttpHeaderNames.CONTENT_ENCODING, "identity", true);
        return bodies && packed
                ? Optional.of(
                        new HttpMessages.Fault(
                                415,
                                "its body is packed, so the credential cannot be put into it: send"
                                        + " it without Content-Encoding"))
                : Optional.empty();
    }

    private static Optional<HttpMessages.Fault> fault(String where) {
        return Optional.of(
                new HttpMessages.Fault(
                        403,
                        "the placeholder of its credential stands in "
                                + where
                                + ", where the credential is never put"));
    }

    private String replaced(String value) {
        if (value.regionMatches(true, 0, BASIC, 0, BASIC.length())) {
            try {
                byte[] pair = Base64.getDecoder().decode(value.substring(BASIC.length()).strip());
                String text = new String(pair, StandardCharsets.ISO_8859_1);
                if (text.contains(placeholder)) {
                    String whole = text.replace(placeholder, secret.reveal());
                    return "Basic "
                            + Base64.getEncoder()
                                    .encodeToString(whole.getBytes(StandardCharsets.ISO_8859_1));
                }
            } catch (IllegalArgumentException e) {
                return value.replace(placeholder, secret.reveal());
            }
        }
        return value.replace(placeholder, secret.reveal());
    }

    /// What is done to the body: one of known length is taken whole if it may be, because its
    /// length changes; one in chunks is changed on the way; any other is only looked through.
    RequestBody.Work work(HttpRequest sent) {
        boolean whole =
                HttpUtil.isContentLengthSet(sent)
                        && HttpUtil.getContentLength(sent, 0L) <= RequestBody.MAX_HELD;
        if (bodies && whole) {
            return (RequestBody.Work.Whole) (_, body) -> looker(true).pass(body, true);
        }
        boolean replaces = bodies && !HttpUtil.isContentLengthSet(sent);
        String why =
                bodies
                        ? "a body of more than 1 MiB, where the credential is not put"
                        : "its body, where the credential is not put by this policy";
        return new RequestBody.Work.Stream(
                looker(replaces),
                replaces
                        ? Optional.empty()
                        : Optional.of(
                                new HttpMessages.Fault(
                                        403,
                                        "the placeholder of its credential stands in " + why)));
    }

    private Replacement looker(boolean replaces) {
        return new Replacement(
                placeholder, replaces ? Optional.of(secret.reveal()) : Optional.empty());
    }
}
