package dev.glovebox.egress.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.egress.Destination;
import dev.glovebox.protocol.egress.Host;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HttpMessagesTest {
    private static final Destination GOOD = new Destination(Host.parse("good.test"), 80);
    private static final Injection KEY = new KeyInjection();

    /// Takes the place of headers of the client, and puts on nothing.
    private record KeyInjection() implements Injection {
        @Override
        public Set<String> replaced() {
            return Set.of("x-api-key", "authorization", "cookie");
        }

        @Override
        public Optional<HttpMessages.Fault> project(HttpRequest sent, boolean secure) {
            return Optional.empty();
        }

        @Override
        public ChannelHandler handler(HttpRequest sent) {
            return new ChannelInboundHandlerAdapter();
        }

        @Override
        public Optional<EchoGuard.Forms> echoes() {
            return Optional.empty();
        }

        @Override
        public Optional<Identity> identity() {
            return Optional.empty();
        }
    }

    private static HttpRequest request(String method, String target, String... headers) {
        HttpRequest request =
                new DefaultHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.valueOf(method), target);
        for (int i = 0; i < headers.length; i += 2) {
            request.headers().add(headers[i], headers[i + 1]);
        }
        return request;
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "GET | /x?y=1 | good.test | 0",
                "GET | / | GOOD.test:80 | 0",
                "OPTIONS | * | good.test | 400",
                "GET | * | good.test | 400",
                "GET | http://good.test/ | good.test | 400",
                "GET | http://evil.test/ | good.test | 400",
                "GET | good.test:443 | good.test | 400",
                "GET | /a\\b | good.test | 400",
                "GET | /a#b | good.test | 400",
                "GET | /ä | good.test | 400",
                "CONNECT | evil.test:443 | good.test | 403",
                "TRACE | / | good.test | 403",
                "GET | / | evil.test | 403",
                "GET | / | good.test. | 403",
                "GET | / | good.test:81 | 403",
                "GET | / | good.test@evil.test | 403",
                "GET | / | a.good.test | 403",
                "GET | / | '' | 403",
            })
    void fault_methodTargetAndHost(String method, String target, String host, int status) {
        Optional<HttpMessages.Fault> fault =
                HttpMessages.fault(request(method, target, "Host", host), GOOD, false);
        assertThat(fault.map(HttpMessages.Fault::status).orElse(0)).isEqualTo(status);
    }

    @ParameterizedTest
    @CsvSource({
        "Content-Length, 5, '', '', 0",
        "Transfer-Encoding, chunked, '', '', 0",
        "Content-Length, 5, Content-Length, 5, 400",
        "Content-Length, 5, Transfer-Encoding, chunked, 400",
        "Content-Length, +5, '', '', 400",
        "Content-Length, '5,5', '', '', 400",
        "Content-Length, 0x5, '', '', 400",
        "Content-Length, 9999999999999999999, '', '', 400",
        "Transfer-Encoding, 'chunked, identity', '', '', 400",
        "Transfer-Encoding, xchunked, '', '', 400",
        "Transfer-Encoding, 'gzip, chunked', '', '', 400",
        "Transfer-Encoding, chunked, Transfer-Encoding, chunked, 400",
        "Host, good.test, '', '', 400",
    })
    void fault_framing(String name1, String value1, String name2, String value2, int status) {
        HttpRequest request = request("POST", "/", "Host", "good.test", name1, value1);
        if (!name2.isEmpty()) {
            request.headers().add(name2, value2);
        }
        Optional<HttpMessages.Fault> fault = HttpMessages.fault(request, GOOD, false);
        assertThat(fault.map(HttpMessages.Fault::status).orElse(0)).isEqualTo(status);
    }

    @Test
    void fault_httpOneZero_needsNoHostAndKnowsNoChunks() {
        HttpRequest request = new DefaultHttpRequest(HttpVersion.HTTP_1_0, HttpMethod.GET, "/");
        assertThat(HttpMessages.fault(request, GOOD, false)).isEmpty();
        request.headers().add("Host", "good.test");
        assertThat(HttpMessages.fault(request, GOOD, false)).isEmpty();
        request.headers().add("Transfer-Encoding", "chunked");
        assertThat(HttpMessages.fault(request, GOOD, false)).isPresent();
    }

    @Test
    void upstream_getsTheCredentialOnceAndNoneOfTheClients() {
        HttpRequest sent =
                HttpMessages.upstream(
                        request(
                                "GET",
                                "/",
                                "Host",
                                "GOOD.test",
                                "x-api-key",
                                "mine",
                                "X_API_KEY",
                                "mine too",
                                "Authorization",
                                "Basic mine",
                                "Cookie",
                                "a=b",
                                "Accept",
                                "*/*"),
                        GOOD,
                        Optional.of(KEY),
                        false);
        assertThat(sent.headers().names())
                .containsExactlyInAnyOrder("host", "Accept", "accept-encoding");
        assertThat(sent.headers().get("Accept-Encoding")).isEqualTo("identity");
        assertThat(sent.headers().get("Host")).isEqualTo("good.test");
    }

    @Test
    void upstream_connectionHeaderCannotStripTheCredentialNorTheLength() {
        HttpRequest sent =
                HttpMessages.upstream(
                        request(
                                "POST",
                                "/",
                                "Host",
                                "good.test",
                                "Connection",
                                "x-api-key, content-length, x-mine",
                                "X-Mine",
                                "1",
                                "Content-Length",
                                "5",
                                "Keep-Alive",
                                "1",
                                "Upgrade",
                                "h2c",
                                "HTTP2-Settings",
                                "a",
                                "Proxy-Authorization",
                                "b",
                                "X-Forwarded-Host",
                                "evil.test",
                                "TE",
                                "trailers"),
                        GOOD,
                        Optional.of(KEY),
                        false);
        assertThat(sent.headers().names())
                .containsExactlyInAnyOrder("host", "Content-Length", "te", "accept-encoding");
        assertThat(sent.headers().get("te")).isEqualTo("trailers");
    }

    @Test
    void upstream_withoutCredential_keepsTheClientsOwn() {
        HttpRequest sent =
                HttpMessages.upstream(
                        request("GET", "/", "Host", "good.test", "Authorization", "mine"),
                        GOOD,
                        Optional.empty(),
                        false);
        assertThat(sent.headers().get("Authorization")).isEqualTo("mine");
    }

    @Test
    void downstream_isFramedAnewAndOffersNoOtherWay() {
        HttpResponse response =
                new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK);
        response.headers().add("Alt-Svc", "h3").add("Connection", "close").add("Set-Cookie", "a");
        HttpResponse sent = HttpMessages.downstream(response, false, false, false);
        assertThat(sent.headers().names())
                .containsExactlyInAnyOrder("Set-Cookie", "transfer-encoding");
        assertThat(HttpMessages.downstream(response, true, true, false).headers().get("connection"))
                .isEqualTo("close");
    }
}
