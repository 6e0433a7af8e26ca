package dev.glovebox.egress.http;

import dev.glovebox.protocol.egress.Destination;
import dev.glovebox.protocol.egress.Host;
import dev.glovebox.protocol.egress.PolicyException;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.DefaultLastHttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// How a request is judged and written anew for the upstream, and a response for the client: pure
/// functions over message heads.
///
/// What a client sent wrongly is refused, never repaired; what goes on is built from the parsed
/// message, so that the upstream reads exactly what was judged here (RFC 9112, RFC 9110 §7.6).
public final class HttpMessages {
    /// Headers of one hop, and headers that would tell the upstream another host.
    private static final Set<String> NOT_PASSED_ON =
            Set.of(
                    "connection",
                    "proxy-connection",
                    "proxy-authorization",
                    "proxy-authenticate",
                    "keep-alive",
                    "te",
                    "trailer",
                    "transfer-encoding",
                    "upgrade",
                    "http2-settings",
                    "alt-svc",
                    "forwarded",
                    "x-forwarded-host");

    /// Names that the codec uses for itself.
    private static final String OF_THE_CODEC = "x-http2-";

    /// What no trailer may say (RFC 9110 §6.5.1): how the message is framed, where it goes, who
    /// sends it.
    private static final Set<String> NOT_IN_TRAILERS =
            Set.of(
                    "host",
                    "content-length",
                    "content-encoding",
                    "content-type",
                    "content-range",
                    "cache-control",
                    "expect",
                    "max-forwards",
                    "authorization",
                    "cookie",
                    "set-cookie");

    private static final Set<String> METHOD_OVERRIDES =
            Set.of(
                    "x-http-method-override",
                    "x-http-method",
                    "x-method-override",
                    "x-original-method",
                    "x-forwarded-method");

    /// Methods mean what they spell (RFC 9110 §9.1), and yet some servers take `get` for `GET`.
    private static final Pattern METHOD = Pattern.compile("[A-Z][A-Z0-9_-]{0,31}");

    private static final Pattern LENGTH = Pattern.compile("[0-9]{1,18}");

    /// A tunnel, and what has a server send back the request with all that was added to it; some
    /// know `TRACE` as `TRACK`.
    private static final Set<HttpMethod> NEVER =
            Set.of(HttpMethod.CONNECT, HttpMethod.TRACE, HttpMethod.valueOf("TRACK"));

    private HttpMessages() {}

    /// Why a request does not go on.
    ///
    /// @param status to answer with; 403 for what the policy refuses, 400 for what is no request
    /// @param reason one line for people
    public record Fault(int status, String reason) {}

    /// Why the request does not go on to the destination; empty if it does.
    ///
    /// @param secure whether it came over TLS, where another host is a misdirected request (RFC
    ///   9110 §15.5.20): the client may try it on a connection of its own
    public static Optional<Fault> fault(
            HttpRequest request, Destination destination, boolean secure) {
        Optional<String> unreadable = unreadable(request);
        if (unreadable.isPresent()) {
            return Optional.of(new Fault(400, unreadable.get()));
        }
        if (!METHOD.matcher(request.method().name()).matches()) {
            return Optional.of(new Fault(400, "its method is not upper-case letters"));
        }
        if (NEVER.contains(request.method())) {
            return Optional.of(
                    new Fault(403, "method " + request.method() + " is never passed on"));
        }
        if (!isTarget(request)) {
            return Optional.of(new Fault(400, "the request target is not a plain path"));
        }
        if (!isFramed(request.headers())) {
            return Optional.of(new Fault(400, "the length of the request is ambiguous"));
        }
        List<String> hosts = request.headers().getAll(HttpHeaderNames.HOST);
        if (hosts.isEmpty() && isOld(request)) {
            return Optional.empty();
        }
        if (hosts.size() != 1) {
            return Optional.of(new Fault(400, "the request does not have exactly one Host header"));
        }
        return isHost(hosts.getFirst(), destination)
                ? Optional.empty()
                : Optional.of(new Fault(secure ? 421 : 403, "its Host header names another host"));
    }

    /// Why nothing of the request can be relied on; empty if it can.
    public static Optional<String> unreadable(HttpRequest request) {
        return request.decoderResult().isFailure() || !isKnown(request)
                ? Optional.of("it is not a well-formed HTTP/1.1 request")
                : Optional.empty();
    }

    /// Why a request that has no content (RFC 9110 §9.3.6) is said to have some; empty if it is
    /// not.
    public static Optional<String> withContent(HttpRequest request) {
        HttpHeaders headers = request.headers();
        List<String> lengths = headers.getAll(HttpHeaderNames.CONTENT_LENGTH);
        return headers.contains(HttpHeaderNames.TRANSFER_ENCODING)
                        || !(lengths.isEmpty() || lengths.equals(List.of("0")))
                ? Optional.of("a " + request.method() + " has no content")
                : Optional.empty();
    }

    /// Whether the request has no Host header, or one that names the destination.
    public static boolean namesNoOther(HttpRequest request, Destination destination) {
        List<String> hosts = request.headers().getAll(HttpHeaderNames.HOST);
        return hosts.isEmpty() || (hosts.size() == 1 && isHost(hosts.getFirst(), destination));
    }

    /// Whether it is HTTP/1.0, whose answers end with the connection and are never in chunks.
    public static boolean isOld(HttpRequest request) {
        return request.protocolVersion().equals(HttpVersion.HTTP_1_0);
    }

    /// HTTP/1.0 knows no transfer encoding; whoever sends one means to be misread.
    private static boolean isKnown(HttpRequest request) {
        return request.protocolVersion().equals(HttpVersion.HTTP_1_1)
                || (isOld(request)
                        && !request.headers().contains(HttpHeaderNames.TRANSFER_ENCODING));
    }

    /// Whether it asks to go on as a WebSocket (RFC 6455 §4.1).
    public static boolean isWebSocket(HttpRequest request) {
        HttpHeaders headers = request.headers();
        return request.method().equals(HttpMethod.GET)
                && headers.containsValue(HttpHeaderNames.CONNECTION, HttpHeaderValues.UPGRADE, true)
                && headers.getAll(HttpHeaderNames.UPGRADE).size() == 1
                && headers.contains(HttpHeaderNames.UPGRADE, HttpHeaderValues.WEBSOCKET, true);
    }

    private static boolean isTarget(HttpRequest request) {
        String target = request.uri();
        return target.startsWith("/")
                && target.chars().allMatch(c -> c > ' ' && c < 0x7f && c != '#' && c != '\\');
    }

    private static boolean isFramed(HttpHeaders headers) {
        List<String> encodings = headers.getAll(HttpHeaderNames.TRANSFER_ENCODING);
        List<String> lengths = headers.getAll(HttpHeaderNames.CONTENT_LENGTH);
        if (!encodings.isEmpty()) {
            return lengths.isEmpty()
                    && encodings.size() == 1
                    && encodings.getFirst().equalsIgnoreCase("chunked");
        }
        return lengths.isEmpty()
                || (lengths.size() == 1 && LENGTH.matcher(lengths.getFirst()).matches());
    }

    private static boolean isHost(String header, Destination destination) {
        String host = header;
        String port = ":" + destination.port();
        if (host.endsWith(port)) {
            host = host.substring(0, host.length() - port.length());
        }
        try {
            return Host.parse(host).equals(destination.host());
        } catch (PolicyException e) {
            return false;
        }
    }

    /// The request as the upstream gets it, but for what the injection puts on it. The answer to a
    /// request with a credential must come unpacked, so that [EchoGuard] can read it.
    public static HttpRequest upstream(
            HttpRequest request,
            Destination destination,
            Optional<Injection> injected,
            boolean secure) {
        HttpRequest sent =
                new DefaultHttpRequest(HttpVersion.HTTP_1_1, request.method(), request.uri());
        HttpHeaders headers = sent.headers();
        headers.set(HttpHeaderNames.HOST, hostHeader(destination, secure));
        Set<String> left = new HashSet<>(Set.of("host"));
        injected.ifPresent(injection -> {
            left.addAll(injection.replaced());
            left.add("accept-encoding");
        });
        copy(request.headers(), headers, left);
        if (HttpUtil.isTransferEncodingChunked(request)) {
            headers.set(HttpHeaderNames.TRANSFER_ENCODING, HttpHeaderValues.CHUNKED);
        }
        if (request.headers().containsValue(HttpHeaderNames.TE, HttpHeaderValues.TRAILERS, true)) {
            headers.set(HttpHeaderNames.TE, HttpHeaderValues.TRAILERS);
        }
        if (isWebSocket(request)) {
            headers.set(HttpHeaderNames.CONNECTION, HttpHeaderValues.UPGRADE);
            headers.set(HttpHeaderNames.UPGRADE, HttpHeaderValues.WEBSOCKET);
        }
        if (injected.isPresent()) {
            headers.set(HttpHeaderNames.ACCEPT_ENCODING, HttpHeaderValues.IDENTITY);
        }
        return sent;
    }

    /// Takes away what makes some servers do another method than the one that was judged.
    public static void removeMethodOverrides(HttpHeaders headers) {
        for (String name : List.copyOf(headers.names())) {
            if (METHOD_OVERRIDES.contains(folded(name))) {
                headers.remove(name);
            }
        }
    }

    private static String hostHeader(Destination destination, boolean secure) {
        String spelled = destination.toString();
        String usual = secure ? ":443" : ":80";
        return spelled.endsWith(usual)
                ? spelled.substring(0, spelled.length() - usual.length())
                : spelled;
    }

    /// The trailers of a message as the other side gets them.
    ///
    /// @param injected what the door has added to the head, which no trailer may say again
    public static LastHttpContent trailers(LastHttpContent end, Optional<Injection> injected) {
        LastHttpContent sent = new DefaultLastHttpContent(end.content());
        Set<String> left = new HashSet<>(NOT_IN_TRAILERS);
        injected.ifPresent(injection -> left.addAll(injection.replaced()));
        copy(end.trailingHeaders(), sent.trailingHeaders(), left);
        return sent;
    }

    /// The response as the client gets it.
    ///
    /// @param bodiless whether the request was HEAD
    /// @param close whether the connection ends with it
    /// @param old whether the client speaks HTTP/1.0
    public static HttpResponse downstream(
            HttpResponse response, boolean bodiless, boolean close, boolean old) {
        HttpResponse sent = new DefaultHttpResponse(HttpVersion.HTTP_1_1, response.status());
        copy(response.headers(), sent.headers(), Set.of());
        int status = response.status().code();
        boolean empty = bodiless || status < 200 || status == 204 || status == 304;
        if (!empty && !old && !sent.headers().contains(HttpHeaderNames.CONTENT_LENGTH)) {
            sent.headers().set(HttpHeaderNames.TRANSFER_ENCODING, HttpHeaderValues.CHUNKED);
        }
        if (close && status >= 200) {
            sent.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        }
        return sent;
    }

    /// An interim response, whole: 1xx have no content.
    static HttpResponse interim(HttpResponse head) {
        HttpResponse whole = whole(head);
        if (head.status().equals(HttpResponseStatus.SWITCHING_PROTOCOLS)) {
            whole.headers()
                    .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.UPGRADE)
                    .set(HttpHeaderNames.UPGRADE, HttpHeaderValues.WEBSOCKET);
        }
        return whole;
    }

    /// A response that is nothing but its head.
    static HttpResponse whole(HttpResponse head) {
        DefaultFullHttpResponse whole =
                new DefaultFullHttpResponse(head.protocolVersion(), head.status());
        whole.headers().add(head.headers());
        return whole;
    }

    private static void copy(HttpHeaders from, HttpHeaders to, Set<String> left) {
        Set<String> hop = left;
        List<String> connection = from.getAll(HttpHeaderNames.CONNECTION);
        if (!connection.isEmpty()) {
            hop = new HashSet<>();
            for (String value : connection) {
                for (String name : value.split(",", -1)) {
                    hop.add(folded(name.strip()));
                }
            }
            hop.remove("content-length");
            hop.addAll(left);
        }
        for (Map.Entry<String, String> header : from) {
            String name = folded(header.getKey());
            if (!NOT_PASSED_ON.contains(name)
                    && !hop.contains(name)
                    && !name.startsWith(OF_THE_CODEC)) {
                to.add(header.getKey(), header.getValue());
            }
        }
    }

    /// Some servers read `X_Name` as `X-Name`; so do we where it matters.
    public static String folded(String name) {
        return name.toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
