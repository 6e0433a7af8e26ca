package dev.glovebox.egress.http;

import dev.glovebox.protocol.egress.Destination;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.codec.http2.DefaultHttp2ResetFrame;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2StreamChannel;
import io.netty.handler.ssl.SslHandler;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/// What the door itself says to a client: one paragraph that names the host, the rule, and whom to
/// ask.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
public final class Pages {
    private static final long DRAIN_MILLIS = 1_000;

    private Pages() {}

    /// For a request that the policy refuses.
    ///
    /// @param rule that decided, if one did
    /// @param contact whom to ask
    public static String refused(
            Destination destination, Optional<String> rule, String reason, String contact) {
        return "Glovebox refused this request to "
                + destination
                + ", judged by "
                + rule.map(name -> "rule \"" + name + "\"").orElse("the egress policy")
                + ": "
                + reason
                + ". If it should pass, ask "
                + contact
                + " to change the egress policy.\n";
    }

    /// For a request to the door as a proxy that names no destination.
    public static String unproxied(String reason) {
        return "Glovebox refused this proxy request: "
                + reason
                + ". This proxy takes CONNECT HOST:PORT, and requests for http://HOST/PATH.\n";
    }

    /// For a request that is allowed, to a server that does not play its part.
    public static String failed(Destination destination, String rule, String reason) {
        return "Glovebox: "
                + destination
                + " is allowed by rule \""
                + rule
                + "\", but "
                + reason
                + ".\n";
    }

    /// Writes it as the answer to the request under way, and ends the connection or stream.
    ///
    /// @param request the request, of which more may come
    public static void answer(Channel client, int status, String text, HttpRequest request) {
        boolean head = request.method().equals(HttpMethod.HEAD);
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        DefaultFullHttpResponse response =
                new DefaultFullHttpResponse(
                        HttpVersion.HTTP_1_1,
                        HttpResponseStatus.valueOf(status),
                        head ? Unpooled.EMPTY_BUFFER : Unpooled.wrappedBuffer(bytes));
        response.headers()
                .set(HttpHeaderNames.CONTENT_TYPE, "text/plain; charset=utf-8")
                .set(HttpHeaderNames.CONTENT_LENGTH, bytes.length)
                .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        if (client instanceof Http2StreamChannel) {
            client.writeAndFlush(response)
                    .addListener(_ -> {
                        if (!(request instanceof LastHttpContent)) {
                            enough(client);
                        }
                    });
        } else {
            client.write(response);
            end(client);
        }
    }

    /// Tells a client of HTTP/2 that its stream has been answered whole and nothing more of the
    /// request is wanted (RFC 9113 §8.1). Left to itself it would go on sending, or wait until it
    /// may.
    public static void enough(Channel stream) {
        stream.writeAndFlush(new DefaultHttp2ResetFrame(Http2Error.NO_ERROR));
    }

    /// Ends our side after the answer, then goes on reading for a moment: closing a socket with
    /// unread bytes would reset it and could take the answer with it. A stream of HTTP/2 ends by
    /// itself when the client has ended its side.
    public static void end(Channel client) {
        if (client instanceof Http2StreamChannel) {
            client.config().setAutoRead(true);
            return;
        }
        client.writeAndFlush(Unpooled.EMPTY_BUFFER)
                .addListener(_ -> {
                    SslHandler tls = client.pipeline().get(SslHandler.class);
                    if (tls == null) {
                        endOutput(client);
                    } else {
                        tls.closeOutbound().addListener(_ -> endOutput(client));
                    }
                });
    }

    private static void endOutput(Channel client) {
        DuplexChannel both = (DuplexChannel) client;
        both.shutdownOutput();
        if (both.isInputShutdown()) {
            client.close();
            return;
        }
        client.pipeline().addFirst(new Drain());
        client.config().setAutoRead(true);
        client.eventLoop().schedule(() -> client.close(), DRAIN_MILLIS, TimeUnit.MILLISECONDS);
    }
}
