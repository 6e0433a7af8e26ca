package dev.glovebox.egress.entry;

import dev.glovebox.egress.http.HttpCodecs;
import dev.glovebox.egress.http.HttpMessages;
import dev.glovebox.egress.http.Pages;
import dev.glovebox.egress.wire.Deadline;
import dev.glovebox.protocol.egress.Decision;
import dev.glovebox.protocol.egress.Destination;
import dev.glovebox.protocol.egress.EgressRule;
import dev.glovebox.protocol.egress.Protocol;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The door as an HTTP proxy (RFC 9110 §3.7, §9.3.6): one request, of which the door needs the
/// destination and nothing else.
///
/// A CONNECT leaves a connection on which the client goes on as if it had dialled the destination.
/// Any other request is for one `http://` URL and is handed on in origin form, to be judged like
/// one that came to the destination itself; its connection ends with the answer, so that a
/// connection is never about two destinations. What the client says about itself
/// (`Proxy-Authorization`) is not read.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
public final class HttpProxy extends ChannelInboundHandlerAdapter {
    /// Where it is served.
    public static final int PORT = 3128;

    private static final byte[] ESTABLISHED =
            "HTTP/1.1 200 Connection established\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

    private final Channel client;
    private final Entrance entrance;
    private final Deadline deadline;
    private @Nullable HttpRequest connect;
    private boolean answered;

    private HttpProxy(Channel client, Entrance entrance) {
        this.client = client;
        this.entrance = entrance;
        this.deadline = new Deadline(client, entrance.patience());
    }

    /// Puts it and a codec of HTTP/1.1 behind what is there.
    public static void install(ChannelPipeline pipeline, Entrance entrance) {
        pipeline.addLast(
                new HttpCodecs.RequestReader(HttpCodecs.config(entrance.headerBytes())),
                new HttpCodecs.ResponseWriter(),
                new HttpProxy(pipeline.channel(), entrance));
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        deadline.start(() -> {
            entrance.denied("no request came in time");
            entrance.reset();
        });
        ctx.read();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (message instanceof HttpRequest request && !answered && connect == null) {
            deadline.stop();
            begin(request);
        } else if (message instanceof LastHttpContent && connect != null) {
            tunnel(connect);
        }
        ReferenceCountUtil.release(message);
    }

    private void begin(HttpRequest request) {
        boolean tunnel = request.method().equals(HttpMethod.CONNECT);
        Optional<String> fault = HttpMessages.unreadable(request);
        if (fault.isEmpty() && tunnel) {
            fault = HttpMessages.withContent(request);
        }
        if (fault.isPresent()) {
            refuse(request, fault.get());
        } else if (tunnel) {
            connect = request;
        } else {
            pass(request);
        }
    }

    /// The head of a CONNECT is complete. What was read behind it belongs to whoever comes next.
    private void tunnel(HttpRequest request) {
        switch (ProxyTarget.ofConnect(request.uri())) {
            case ProxyTarget.Refused(String reason) -> refuse(request, reason);
            case ProxyTarget.Found(var host, int port, _) -> {
                if (!HttpMessages.namesNoOther(request, new Destination(host, port))) {
                    refuse(request, "the Host header of the CONNECT names another host");
                    return;
                }
                client.pipeline().replace(this, null, new Held());
                client.pipeline().remove(HttpCodecs.RequestReader.class);
                entrance.enter(host, port, new Tunnel(client, request, entrance.contact()));
            }
        }
    }

    private void pass(HttpRequest request) {
        switch (ProxyTarget.ofRequest(request.uri())) {
            case ProxyTarget.Refused(String reason) -> refuse(request, reason);
            case ProxyTarget.Found(var host, int port, String path) -> {
                request.setUri(path);
                request.headers().add(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
                Held held = new Held();
                held.hold(request);
                client.pipeline().replace(this, null, held);
                entrance.enter(host, port, new Request(client, request, entrance.contact()));
            }
        }
    }

    private void refuse(HttpRequest request, String reason) {
        answered = true;
        entrance.denied(reason);
        answer(client, request, 400, Pages.unproxied(reason));
    }

    private static void answer(Channel client, HttpRequest request, int status, String text) {
        client.pipeline()
                .get(HttpCodecs.ResponseWriter.class)
                .answering(request.method().equals(HttpMethod.HEAD));
        Pages.answer(client, status, text, request);
    }

    private static void answer(
            Channel client,
            HttpRequest request,
            Destination destination,
            Decision decision,
            String contact) {
        Optional<String> rule = decision.rule().map(EgressRule::name);
        answer(client, request, 403, Pages.refused(destination, rule, decision.reason(), contact));
    }

    private record Tunnel(Channel client, HttpRequest request, String contact) implements Entry {
        @Override
        public void granted() {
            client.pipeline().remove(HttpCodecs.ResponseWriter.class);
            client.writeAndFlush(Unpooled.wrappedBuffer(ESTABLISHED));
        }

        @Override
        public void refused(Destination destination, Decision decision) {
            answer(client, request, destination, decision, contact);
        }
    }

    private record Request(Channel client, HttpRequest request, String contact) implements Entry {
        @Override
        public Optional<String> fault(Protocol protocol) {
            return protocol == Protocol.HTTP
                    ? Optional.empty()
                    : Optional.of(
                            "the rule is of protocol "
                                    + protocol.text()
                                    + ", not http: ask the proxy for it with CONNECT");
        }

        @Override
        public void granted() {}

        @Override
        public void refused(Destination destination, Decision decision) {
            answer(client, request, destination, decision, contact);
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof ChannelInputShutdownEvent) {
            ctx.close();
        } else {
            ctx.fireUserEventTriggered(event);
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        entrance.reset();
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        deadline.stop();
    }
}
