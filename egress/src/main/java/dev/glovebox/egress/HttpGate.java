package dev.glovebox.egress;

import dev.glovebox.egress.http.HttpCodecs;
import dev.glovebox.egress.http.HttpMessages;
import dev.glovebox.egress.http.InjectedHeader;
import dev.glovebox.egress.http.UpstreamResponses;
import dev.glovebox.protocol.egress.Decision;
import dev.glovebox.protocol.egress.EgressRule;
import dev.glovebox.protocol.egress.PolicyException;
import dev.glovebox.protocol.egress.request.CanonicalPath;
import dev.glovebox.protocol.egress.request.RequestLine;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultLastHttpContent;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A rule of protocol `http`: every request is parsed, judged, and written anew to the upstream.
///
/// One request is under way at a time. Reading is by hand: a request's bytes are asked for when the
/// upstream takes them, and the next request when the answer to this one has been written, so a
/// client that pipelines waits and nothing but one read's worth is held. Credentials of the rule
/// are added here, outside, after everything the client sent under that name was dropped.
///
/// All of this runs on the event loop of the client, which the upstream shares.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
final class HttpGate extends ChannelInboundHandlerAdapter implements UpstreamResponses.Receiver {
    private static final long DRAIN_MILLIS = 1_000;

    private enum State {
        IDLE,
        DIALLING,
        FORWARDING,
        ANSWERING,
        CLOSING
    }

    private final Flow flow;
    private final HttpCodecs.ResponseWriter writer;
    private final Queue<HttpObject> waiting = new ArrayDeque<>();
    private State state = State.IDLE;
    private boolean last;
    private @Nullable Channel upstream;
    private @Nullable Future<?> deadline;

    private HttpGate(Flow flow, HttpCodecs.ResponseWriter writer) {
        this.flow = flow;
        this.writer = writer;
    }

    /// Puts the codec and the gate behind what is there.
    static void install(ChannelPipeline pipeline, Flow flow) {
        HttpCodecs.ResponseWriter writer = new HttpCodecs.ResponseWriter();
        pipeline.addLast(
                new HttpCodecs.RequestReader(HttpCodecs.config(flow.door().limits().headerBytes())),
                writer);
        pipeline.addLast(new HttpGate(flow, writer));
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        deadline =
                ctx.executor()
                        .schedule(
                                () -> flow.refuse("no request came in time"),
                                flow.door().limits().firstBytes().toMillis(),
                                TimeUnit.MILLISECONDS);
        ctx.read();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (state == State.CLOSING) {
            ReferenceCountUtil.release(message);
        } else {
            waiting.add((HttpObject) message);
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        pump();
    }

    /// Does what can be done with what has arrived, then asks for more if that can be used.
    @Override
    public void pump() {
        while (!waiting.isEmpty() && (state == State.IDLE || takesBody())) {
            if (state == State.IDLE) {
                begin(waiting.remove());
            } else {
                forward(waiting.remove());
            }
        }
        if (waiting.isEmpty() && (state == State.IDLE || takesBody())) {
            flow.client().read();
        }
    }

    private boolean takesBody() {
        return state == State.FORWARDING && upstream != null && upstream.isWritable();
    }

    private void begin(HttpObject object) {
        if (!(object instanceof HttpRequest request)) {
            ReferenceCountUtil.release(object);
            return;
        }
        if (deadline != null) {
            deadline.cancel(false);
        }
        Optional<HttpMessages.Fault> fault = HttpMessages.fault(request, flow.destination());
        if (fault.isPresent()) {
            deny(fault.get());
            return;
        }
        Optional<HttpMessages.Fault> refused = judge(request);
        if (refused.isPresent()) {
            deny(refused.get());
            return;
        }
        writer.answering(request.method().equals(HttpMethod.HEAD));
        last = !HttpUtil.isKeepAlive(request);
        HttpRequest sent = HttpMessages.upstream(request, flow.destination(), flow.credential());
        if (upstream != null && upstream.isActive()) {
            send(upstream, sent);
            return;
        }
        state = State.DIALLING;
        flow.door().dialler().dial(flow, channel -> connected(channel, sent), this::failed);
    }

    /// Asks the policy about one request and writes its target in the form that was judged.
    private Optional<HttpMessages.Fault> judge(HttpRequest request) {
        CanonicalPath path;
        try {
            path = CanonicalPath.of(request.uri());
        } catch (PolicyException e) {
            return Optional.of(new HttpMessages.Fault(400, e.problems().getFirst()));
        }
        request.setUri(path.text());
        boolean webSocket =
                request.headers()
                        .containsValue(HttpHeaderNames.UPGRADE, HttpHeaderValues.WEBSOCKET, true);
        Decision decision =
                flow.terms()
                        .policy()
                        .decide(
                                flow.destination(),
                                new RequestLine(request.method().name(), path, webSocket));
        if (!decision.allowed()) {
            return Optional.of(new HttpMessages.Fault(403, decision.reason()));
        }
        EgressRule rule = decision.rule().orElseThrow();
        return rule.connect().equals(flow.rule().connect())
                        && rule.credential().equals(flow.rule().credential())
                        && rule.budget().isEmpty()
                ? Optional.empty()
                : Optional.of(
                        new HttpMessages.Fault(
                                403,
                                "rule \""
                                        + rule.name()
                                        + "\" has another connect, credential or budget than rule"
                                        + " \""
                                        + flow.rule().name()
                                        + "\", which opened the connection"));
    }

    private void connected(Channel channel, HttpRequest request) {
        if (!flow.client().isActive()) {
            channel.close();
            return;
        }
        upstream = channel;
        channel.pipeline()
                .addLast(
                        new HttpClientCodec(
                                HttpCodecs.config(flow.door().limits().headerBytes()), false, true),
                        new UpstreamResponses(
                                flow.client(),
                                this,
                                flow.credential().map(InjectedHeader::secret)));
        channel.config().setAutoRead(true);
        send(channel, request);
        pump();
    }

    private void send(Channel channel, HttpRequest request) {
        state = State.FORWARDING;
        channel.writeAndFlush(request);
    }

    private void forward(HttpObject object) {
        Channel to = upstream;
        if (to == null || object.decoderResult().isFailure() || !(object instanceof HttpContent)) {
            ReferenceCountUtil.release(object);
            Flow.reset(flow.client());
            return;
        }
        if (object instanceof LastHttpContent end) {
            state = State.ANSWERING;
            to.writeAndFlush(new DefaultLastHttpContent(end.content()));
        } else {
            to.writeAndFlush(object);
        }
    }

    @Override
    public boolean isHead() {
        return writer.isHead();
    }

    @Override
    public boolean isLast() {
        return last || state == State.FORWARDING;
    }

    /// The answer has been written. One that came before its request had ended leaves the rest of
    /// the request without a reader, so the connection ends with it.
    @Override
    public void answered() {
        if (isLast()) {
            state = State.CLOSING;
            end();
        } else {
            state = State.IDLE;
            pump();
        }
    }

    @Override
    public void echoed(boolean begun) {
        String reason = "the answer repeated the credential and was withheld";
        flow.door().deny(flow.destination().host().text(), flow.destination().port(), reason);
        if (begun) {
            state = State.CLOSING;
            Flow.reset(flow.client());
        } else {
            failed(reason);
        }
    }

    @Override
    public void upstreamEnded(Channel channel, boolean begun) {
        if (!channel.equals(upstream)) {
            return;
        }
        upstream = null;
        if (state == State.FORWARDING || state == State.ANSWERING) {
            if (begun) {
                Flow.reset(flow.client());
            } else {
                failed("the server closed the connection");
            }
        }
    }

    private void failed(String reason) {
        answer(
                502,
                "Glovebox: "
                        + flow.destination()
                        + " is allowed by rule \""
                        + flow.rule().name()
                        + "\", but "
                        + reason
                        + ".\n");
    }

    private void deny(HttpMessages.Fault fault) {
        flow.door()
                .deny(flow.destination().host().text(), flow.destination().port(), fault.reason());
        answer(
                fault.status(),
                "Glovebox refused this request to "
                        + flow.destination()
                        + ", judged by rule \""
                        + flow.rule().name()
                        + "\": "
                        + fault.reason()
                        + ". If it should pass, ask the operator of this Glovebox worker to change"
                        + " the egress policy.\n");
    }

    private void answer(int status, String text) {
        state = State.CLOSING;
        DefaultFullHttpResponse response =
                new DefaultFullHttpResponse(
                        HttpVersion.HTTP_1_1,
                        HttpResponseStatus.valueOf(status),
                        Unpooled.copiedBuffer(text, StandardCharsets.UTF_8));
        response.headers()
                .set(HttpHeaderNames.CONTENT_TYPE, "text/plain; charset=utf-8")
                .set(HttpHeaderNames.CONTENT_LENGTH, response.content().readableBytes())
                .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        flow.client().write(response);
        end();
    }

    /// Ends our side, then goes on reading for a moment: closing a socket with unread bytes would
    /// reset it and could take the answer with it.
    private void end() {
        Channel client = flow.client();
        client.writeAndFlush(Unpooled.EMPTY_BUFFER)
                .addListener(_ -> {
                    ((DuplexChannel) client).shutdownOutput();
                    client.config().setAutoRead(true);
                    client.eventLoop()
                            .schedule(() -> client.close(), DRAIN_MILLIS, TimeUnit.MILLISECONDS);
                });
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        if (upstream != null) {
            upstream.config().setAutoRead(ctx.channel().isWritable());
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof ChannelInputShutdownEvent
                && (state == State.IDLE || state == State.CLOSING)) {
            ctx.close();
        } else if (event instanceof ChannelInputShutdownEvent) {
            last = true;
        } else {
            ctx.fireUserEventTriggered(event);
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        Flow.reset(ctx.channel());
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        if (upstream != null) {
            upstream.close();
        }
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        if (deadline != null) {
            deadline.cancel(false);
        }
        waiting.forEach(ReferenceCountUtil::release);
        waiting.clear();
    }
}
