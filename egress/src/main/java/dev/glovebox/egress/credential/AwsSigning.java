package dev.glovebox.egress.credential;

import dev.glovebox.egress.http.HttpMessages;
import dev.glovebox.protocol.Secret;
import dev.glovebox.protocol.egress.credential.Projection;
import io.netty.buffer.ByteBufUtil;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpRequest;
import java.time.InstantSource;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Signs requests to AWS anew that the sandbox has signed with a key that means nothing.
///
/// Only what the policy names is signed for: a request that was made for another region or service,
/// whose URL carries the signature (presigned), or whose chunks are signed one by one is refused.
/// The Host header, the content type and all of `x-amz-` are signed. The digest of the body is the
/// one that the client says, since the service compares it with the body; where the client says
/// none, the body is held and digested here. `UNSIGNED-PAYLOAD` is left to the client in TLS.
final class AwsSigning {
    private static final String DIGEST = "x-amz-content-sha256";
    private static final Pattern SCOPE =
            Pattern.compile(
                    AwsSignature.ALGORITHM
                            + " +Credential=[^/,\\s]+/[0-9]{8}/([^/,\\s]+)/([^/,\\s]+)/aws4_request *,.*");
    private static final Pattern PRESIGNED =
            Pattern.compile(
                    "(?i)(^|.*[?&;])(x-amz-(signature|credential|algorithm)|awsaccesskeyid|signature)=.*");

    private final AwsSignature signature;
    private final Secret secret;
    private final Optional<Secret> sessionToken;
    private final InstantSource clock;

    AwsSigning(
            Projection.AwsSigV4 of,
            Secret secret,
            Optional<Secret> sessionToken,
            InstantSource clock) {
        this.signature = new AwsSignature(of.accessKeyId(), of.region(), of.service());
        this.secret = secret;
        this.sessionToken = sessionToken;
        this.clock = clock;
    }

    Optional<HttpMessages.Fault> project(HttpRequest sent, boolean secure) {
        if (PRESIGNED.matcher(sent.uri().replace("%2D", "-").replace("%2d", "-")).matches()) {
            return refused("its URL carries a signature of its own (presigned)");
        }
        List<String> logins = sent.headers().getAll(HttpHeaderNames.AUTHORIZATION);
        if (logins.size() > 1) {
            return refused("it has more than one Authorization header");
        }
        if (!logins.isEmpty()) {
            Matcher scope = SCOPE.matcher(logins.getFirst());
            if (!scope.matches()) {
                return refused("it is not signed by " + AwsSignature.ALGORITHM);
            }
            if (!scope.group(1).equals(signature.region())
                    || !scope.group(2).equals(signature.service())) {
                return refused(
                        "it is signed for another region or service than "
                                + signature.region()
                                + "/"
                                + signature.service());
            }
        }
        String digest = digest(sent).orElse("");
        if (digest.startsWith("STREAMING-") && !digest.startsWith("STREAMING-UNSIGNED-")) {
            return refused("it signs its chunks one by one: have the client send them unsigned");
        }
        return digest.contains("UNSIGNED") && !secure
                ? refused("its body is not signed and travels in the clear")
                : Optional.empty();
    }

    private static Optional<HttpMessages.Fault> refused(String why) {
        return Optional.of(new HttpMessages.Fault(403, why));
    }

    private static Optional<String> digest(HttpRequest sent) {
        return Optional.ofNullable(sent.headers().get(DIGEST));
    }

    /// A body whose digest the client has said passes as it comes.
    RequestBody.Work work(HttpRequest sent) {
        Optional<String> digest = digest(sent);
        if (digest.isPresent()) {
            sign(sent, digest.get());
            return new RequestBody.Work.Nothing();
        }
        return (RequestBody.Work.Whole)
                (head, body) -> {
                    sign(head, AwsSignature.sha256(ByteBufUtil.getBytes(body)));
                    return body;
                };
    }

    private void sign(HttpRequest head, String digest) {
        String time = AwsSignature.time(clock.instant());
        head.headers().remove(HttpHeaderNames.AUTHORIZATION);
        head.headers().remove("x-amz-security-token");
        head.headers().set("x-amz-date", time);
        sessionToken.ifPresent(token -> head.headers().set("x-amz-security-token", token.reveal()));
        if (signature.service().equals("s3")) {
            head.headers().set(DIGEST, digest);
        }
        Map<String, String> signed = new TreeMap<>();
        for (String name : head.headers().names()) {
            String lower = name.toLowerCase(Locale.ROOT);
            if (lower.equals("host")
                    || lower.equals("content-type")
                    || lower.startsWith("x-amz-")) {
                signed.put(lower, String.join(",", head.headers().getAll(name)));
            }
        }
        head.headers()
                .set(
                        HttpHeaderNames.AUTHORIZATION,
                        signature.authorization(
                                new AwsSignature.Request(
                                        head.method().name(), head.uri(), signed, digest),
                                time,
                                secret));
    }
}
