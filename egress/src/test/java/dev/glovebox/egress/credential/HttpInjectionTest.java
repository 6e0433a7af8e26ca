package dev.glovebox.egress.credential;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.egress.http.HttpMessages;
import dev.glovebox.egress.wire.Allowance;
import dev.glovebox.protocol.Secret;
import dev.glovebox.protocol.egress.Budget;
import dev.glovebox.protocol.egress.credential.Credential;
import dev.glovebox.protocol.egress.credential.Projection;
import dev.glovebox.protocol.egress.credential.Source;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.DefaultLastHttpContent;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class HttpInjectionTest {
    private static final String PLACEHOLDER = "glovebox-3f9c2a7b5d1e4860a9b7";
    private static final String SECRET = "sk-hush-0123456789";

    private final SetClock clock = new SetClock();
    private final List<Object> events = new ArrayList<>();

    private HttpInjection injection(Projection projection, String... secrets)
            throws CredentialException {
        return new HttpInjection(
                credential(projection),
                List.of(secrets).stream().map(Secret::new).toList(),
                Optional.empty(),
                clock);
    }

    private static Credential credential(Projection projection) {
        return new Credential("key", new Source.File("/k"), projection, Optional.empty());
    }

    private static HttpRequest request(String method, String target, String... headers) {
        HttpRequest request =
                new DefaultHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.valueOf(method), target);
        request.headers().set("Host", "good.test");
        for (int i = 0; i < headers.length; i += 2) {
            request.headers().add(headers[i], headers[i + 1]);
        }
        return request;
    }

    private static int status(Optional<HttpMessages.Fault> fault) {
        return fault.map(HttpMessages.Fault::status).orElse(0);
    }

    @Test
    void header_basicAndNoPrinting() throws Exception {
        HttpRequest sent = request("GET", "/");
        HttpInjection bearer = injection(new Projection.Header("X-Key", "Token {}"), SECRET);
        assertThat(bearer.project(sent, false)).isEmpty();
        assertThat(sent.headers().getAll("x-key")).containsExactly("Token " + SECRET);
        assertThat(bearer.replaced()).contains("x-key", "authorization", "cookie");
        assertThat("" + bearer + bearer.echoes()).doesNotContain(SECRET);

        HttpInjection basic = injection(new Projection.Basic("me"), SECRET);
        assertThat(basic.project(sent, false)).isEmpty();
        String login = sent.headers().get("Authorization").substring("Basic ".length());
        assertThat(new String(Base64.getDecoder().decode(login), StandardCharsets.UTF_8))
                .isEqualTo("me:" + SECRET);
        assertThat(basic).isEqualTo(injection(new Projection.Basic("me"), SECRET));
        assertThat(basic).isNotEqualTo(injection(new Projection.Basic("me"), "rotated-value"));
    }

    @Test
    void secretWithALineEndOrNul_isRefused() throws Exception {
        injection(new Projection.Header("X", "{}"), "plain");
        for (String bad : List.of("a\r\nX: y", "a\nb", "a\0b", "a\u0001", " a")) {
            for (Projection projection :
                    List.of(
                            new Projection.Header("X", "{}"),
                            new Projection.Placeholder(PLACEHOLDER, false))) {
                assertThatThrownBy(() -> injection(projection, bad))
                        .isInstanceOf(CredentialException.class)
                        .hasMessage("it holds characters that no header may carry");
            }
        }
        assertThatThrownBy(() -> injection(new Projection.Basic("me"), "a\r\nb"))
                .isInstanceOf(CredentialException.class);
    }

    @Test
    void query_theClientsOwnCopiesDoNotTravel() throws Exception {
        HttpInjection query = injection(new Projection.Query("key"), "a b&c+d");
        for (String mine : List.of("", "?key=x", "?KEY=x&key", "?k%65y=x&key=", "?+key=1")) {
            HttpRequest sent = request("GET", "/p" + mine);
            assertThat(query.project(sent, false)).isEmpty();
            assertThat(sent.uri()).as(mine).isEqualTo("/p?key=a%20b%26c%2Bd");
        }
        HttpRequest sent = request("GET", "/p?a=1&key=x&b=%20");
        assertThat(query.project(sent, false)).isEmpty();
        assertThat(sent.uri()).isEqualTo("/p?a=1&b=%20&key=a%20b%26c%2Bd");
        assertThat(status(query.project(request("GET", "/p?a=1;key=x"), false))).isEqualTo(400);
        assertThat(query.replaced()).contains("referer");
    }

    @Test
    void placeholder_inHeadersAlsoWithinBasic_onceAndNotAgain() throws Exception {
        String nested = SECRET + PLACEHOLDER;
        HttpInjection injection = injection(new Projection.Placeholder(PLACEHOLDER, false), nested);
        String basic =
                Base64.getEncoder()
                        .encodeToString(("u:" + PLACEHOLDER).getBytes(StandardCharsets.UTF_8));
        HttpRequest sent =
                request(
                        "GET",
                        "/",
                        "X-Key",
                        PLACEHOLDER,
                        "X-Key",
                        "other",
                        "Authorization",
                        "Basic " + basic);
        assertThat(injection.project(sent, false)).isEmpty();
        assertThat(sent.headers().getAll("X-Key")).containsExactly(nested, "other");
        assertThat(
                        new String(
                                Base64.getDecoder()
                                        .decode(sent.headers().get("Authorization").substring(6)),
                                StandardCharsets.UTF_8))
                .isEqualTo("u:" + nested);
    }

    @Test
    void placeholderWhereItCannotBeReplaced_failsClosed() throws Exception {
        HttpInjection headers = injection(new Projection.Placeholder(PLACEHOLDER, false), SECRET);
        HttpInjection bodies = injection(new Projection.Placeholder(PLACEHOLDER, true), SECRET);
        assertThat(headers.project(request("GET", "/ok"), false)).isEmpty();
        assertThat(status(headers.project(request("GET", "/?k=" + PLACEHOLDER), false)))
                .isEqualTo(403);
        assertThat(status(headers.project(request("GET", "/", "X-" + PLACEHOLDER, "1"), false)))
                .isEqualTo(403);
        assertThat(status(bodies.project(request("POST", "/", "Content-Encoding", "gzip"), false)))
                .isEqualTo(415);
        assertThat(bodies.project(request("POST", "/", "Content-Encoding", "identity"), false))
                .isEmpty();
    }

    private static void write(EmbeddedChannel channel, Object message) {
        assertThat(channel.writeOneOutbound(message).cause()).isNull();
        channel.flushOutbound();
    }

    /// What the server gets, the body in pieces of one byte.
    private String sent(HttpInjection injection, HttpRequest head, String body, int size) {
        EmbeddedChannel channel =
                new EmbeddedChannel(
                        injection.handler(head),
                        new ChannelInboundHandlerAdapter() {
                            @Override
                            public void userEventTriggered(
                                    ChannelHandlerContext ctx, Object event) {
                                events.add(event);
                            }
                        });
        write(channel, head);
        for (int at = 0; at < body.length(); at += size) {
            String piece = body.substring(at, Math.min(body.length(), at + size));
            write(
                    channel,
                    new DefaultHttpContent(Unpooled.copiedBuffer(piece, StandardCharsets.UTF_8)));
        }
        write(channel, new DefaultLastHttpContent());
        StringBuilder out = new StringBuilder();
        boolean ended = false;
        for (Object each = channel.readOutbound(); each != null; each = channel.readOutbound()) {
            if (each instanceof HttpContent content) {
                ByteBuf bytes = content.content();
                out.append(bytes.toString(StandardCharsets.UTF_8));
                bytes.release();
            }
            ended |= each instanceof LastHttpContent;
        }
        channel.finishAndReleaseAll();
        return out + (ended ? "" : "[cut]");
    }

    @Test
    void placeholderInBody_splitIntoSingleBytes_isReplaced() throws Exception {
        HttpInjection injection = injection(new Projection.Placeholder(PLACEHOLDER, true), SECRET);
        String body = "{\"a\":\"" + PLACEHOLDER + "\",\"b\":\"glovebox-" + PLACEHOLDER + "\"}";
        String expected = body.replace(PLACEHOLDER, SECRET);
        for (int size : new int[] {1, 2, 5, 1000}) {
            HttpRequest known = request("POST", "/", "Content-Length", "" + body.length());
            assertThat(sent(injection, known, body, size)).isEqualTo(expected);
            assertThat(known.headers().get("Content-Length")).isEqualTo("" + expected.length());
            HttpRequest chunked = request("POST", "/", "Transfer-Encoding", "chunked");
            assertThat(sent(injection, chunked, body, size)).isEqualTo(expected);
            assertThat(chunked.headers().contains("Content-Length")).isFalse();
        }
        assertThat(events).isEmpty();
    }

    @Test
    void placeholderInABodyThatIsNotChanged_cutsTheRequest() throws Exception {
        HttpInjection headers = injection(new Projection.Placeholder(PLACEHOLDER, false), SECRET);
        String clean = "nothing here, glovebox-3f9c2a7b5d1e4860a9b";
        HttpRequest head = request("POST", "/", "Content-Length", "" + clean.length());
        assertThat(sent(headers, head, clean, 1)).isEqualTo(clean);
        assertThat(events).isEmpty();

        String body = "abc" + PLACEHOLDER + "def";
        HttpRequest bad = request("POST", "/", "Content-Length", "" + body.length());
        assertThat(sent(headers, bad, body, 4)).endsWith("[cut]").doesNotContain(PLACEHOLDER);
        assertThat(events).hasSize(1);

        HttpInjection bodies = injection(new Projection.Placeholder(PLACEHOLDER, true), SECRET);
        String large = "x".repeat(RequestBody.MAX_HELD) + PLACEHOLDER;
        HttpRequest tooLarge = request("POST", "/", "Content-Length", "" + large.length());
        assertThat(sent(bodies, tooLarge, large, 1 << 16))
                .endsWith("[cut]")
                .doesNotContain(SECRET)
                .doesNotContain(PLACEHOLDER);
        assertThat(events).hasSize(2);
    }

    private HttpInjection aws(Optional<String> token) throws CredentialException {
        Projection.AwsSigV4 projection =
                new Projection.AwsSigV4(
                        "AKIDEXAMPLE",
                        token.map(_ -> new Source.File("/t")),
                        "us-east-1",
                        "service");
        List<String> secrets = new ArrayList<>(List.of("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"));
        token.ifPresent(secrets::add);
        return injection(projection, secrets.toArray(String[]::new));
    }

    private static String signedFor(String region, String service) {
        return "AWS4-HMAC-SHA256 Credential=AKIAFAKE/20200101/"
                + region
                + "/"
                + service
                + "/aws4_request, SignedHeaders=host;x-amz-date, Signature=00";
    }

    @Test
    void aws_signsAnewWhatTheSandboxSignedWithADummy() throws Exception {
        HttpRequest sent =
                request(
                        "POST",
                        "/",
                        "Authorization",
                        signedFor("us-east-1", "service"),
                        "X-Amz-Security-Token",
                        "mine",
                        "Transfer-Encoding",
                        "chunked");
        HttpInjection aws = aws(Optional.of("session-token-1"));
        assertThat(aws.project(sent, false)).isEmpty();
        assertThat(sent(aws, sent, "Param1=value1", 3)).isEqualTo("Param1=value1");
        assertThat(sent.headers().getAll("Authorization")).hasSize(1);
        assertThat(sent.headers().get("Authorization"))
                .contains("Credential=AKIDEXAMPLE/20260102/us-east-1/service/aws4_request")
                .contains("SignedHeaders=host;x-amz-date;x-amz-security-token,")
                .doesNotContain("AKIAFAKE");
        assertThat(sent.headers().getAll("x-amz-security-token"))
                .containsExactly("session-token-1");
        assertThat(sent.headers().get("x-amz-date")).isEqualTo("20260102T030405Z");
        assertThat(sent.headers().get("Content-Length")).isEqualTo("13");
    }

    @Test
    void agentThatAsksToSignForAnotherRegionOrService_isRefused() throws Exception {
        HttpInjection aws = aws(Optional.empty());
        assertThat(
                        aws.project(
                                request(
                                        "GET",
                                        "/",
                                        "Authorization",
                                        signedFor("us-east-1", "service")),
                                true))
                .isEmpty();
        for (String login :
                List.of(
                        signedFor("eu-west-1", "service"),
                        signedFor("us-east-1", "iam"),
                        "AWS4-ECDSA-P256-SHA256 Credential=x/20200101/service/aws4_request, S=1",
                        "Basic eDp5",
                        "AWS AKIA:sig")) {
            assertThat(status(aws.project(request("GET", "/", "Authorization", login), true)))
                    .as(login)
                    .isEqualTo(403);
        }
        for (String target :
                List.of(
                        "/?X-Amz-Signature=1",
                        "/?a=1&x-amz-credential=x",
                        "/?X%2DAmz%2DSignature=1")) {
            assertThat(status(aws.project(request("GET", target), true))).as(target).isEqualTo(403);
        }
        String digest = "x-amz-content-sha256";
        assertThat(
                        status(
                                aws.project(
                                        request(
                                                "PUT",
                                                "/",
                                                digest,
                                                "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
                                        true)))
                .isEqualTo(403);
        assertThat(aws.project(request("PUT", "/", digest, "UNSIGNED-PAYLOAD"), true)).isEmpty();
        assertThat(status(aws.project(request("PUT", "/", digest, "UNSIGNED-PAYLOAD"), false)))
                .isEqualTo(403);
    }

    @Test
    void aws_bodyTooLongToBeDigested_isRefusedUnlessTheClientSaysItsDigest() throws Exception {
        HttpInjection aws = aws(Optional.empty());
        String body = "x".repeat(RequestBody.MAX_HELD + 1);
        HttpRequest sent = request("PUT", "/", "Transfer-Encoding", "chunked");
        assertThat(aws.project(sent, true)).isEmpty();
        assertThat(sent(aws, sent, body, 1 << 16)).isEqualTo("[cut]");
        assertThat(events).hasSize(1);

        String digest = AwsSignature.sha256(body.getBytes(StandardCharsets.UTF_8));
        HttpRequest said =
                request("PUT", "/", "Transfer-Encoding", "chunked", "x-amz-content-sha256", digest);
        assertThat(aws.project(said, true)).isEmpty();
        assertThat(sent(aws, said, body, 1 << 16)).isEqualTo(body);
    }

    @Test
    void budget_isSpentByRequestsAndBytes_andComesAnew() {
        Allowance allowance =
                new Allowance(
                        "this",
                        new Budget(OptionalLong.of(3), OptionalLong.of(100), Duration.ofMinutes(1)),
                        clock);
        for (int i = 0; i < 3; i++) {
            assertThat(allowance.request()).isTrue();
        }
        assertThat(allowance.request()).isFalse();
        clock.advance(Duration.ofMinutes(1));
        assertThat(allowance.request()).isTrue();
        assertThat(allowance.bytes(100)).isTrue();
        assertThat(allowance.bytes(1)).isFalse();
        assertThat(allowance.request()).isFalse();
    }
}
