package dev.glovebox.egress;

import dev.glovebox.egress.http.HttpCodecs;
import dev.glovebox.egress.http.HttpMessages;
import dev.glovebox.egress.http.Injection;
import dev.glovebox.egress.http.Judged;
import dev.glovebox.egress.http.Pages;
import dev.glovebox.egress.http.UpstreamResponses;
import dev.glovebox.egress.http.Upstreams;
import dev.glovebox.egress.wire.Allowance;
import dev.glovebox.egress.wire.Relay;
import dev.glovebox.egress.wire.Reset;
import dev.glovebox.egress.wire.Spending;
import dev.glovebox.protocol.egress.EgressRule;
import dev.glovebox.protocol.egress.Protocol;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A rule of protocol `http` or `https`: every request is parsed, judged, and written anew to the
/// upstream.
///
/// It stands at the end of a channel out of which requests come: a connection that speaks HTTP/1.1,
/// or one stream of a connection that speaks HTTP/2, which has one request. What the upstream
/// speaks is another matter; here both are HTTP objects, so that there is one way to judge.
///
/// One request is under way at a time. Reading is by hand: a request's bytes are asked for when the
/// upstream takes them, and the next request when the answer to this one has been written, so a
/// client that pipelines waits and nothing but one read's worth is held. Credentials of the rule
/// are added here, outside, after everything the client sent under that name was dropped.
///
/// All of this runs on the event loop of the client, which the upstream shares.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
final class HttpGate extends ChannelInboundHandlerAdapter implements UpstreamResponses.Receiver {
    /// Requests that a server which closed before it answered may get once more (RFC 9110 §9.2.1).
    private static final Set<HttpMethod> SAFE =
            Set.of(HttpMethod.GET, HttpMethod.HEAD, HttpMethod.OPTIONS);

    /// Name of the handler of the upstream that works on the body for the credential.
    private static final String CREDENTIAL = "credential";

    private enum State {
        IDLE,
        DIALLING,
        FORWARDING,
        ANSWERING,
        CLOSING
    }

    private final Flow flow;
    private final Channel client;

    /// The flow as the request under way has it.
    private Flow one;

    private final Optional<HttpCodecs.ResponseWriter> writer;
    private final Queue<HttpObject> waiting = new ArrayDeque<>();
    private State state = State.IDLE;
    private boolean head;
    private boolean old;
    private boolean webSocket;
    private boolean last;
    private boolean bodyBegun;
    private boolean ended;
    private Optional<Injection> injection = Optional.empty();
    private @Nullable HttpRequest sent;
    private Upstreams.@Nullable Lease upstream;
    private @Nullable Future<?> deadline;

    /// @param writer of HTTP/1.1; none on a stream of HTTP/2
    HttpGate(Flow flow, Channel client, Optional<HttpCodecs.ResponseWriter> writer) {
        this.flow = flow;
        this.one = flow;
        this.client = client;
        this.writer = writer;
    }

    /// Puts the codec of HTTP/1.1, unless one is there that has read the first request already, and
    /// the gate behind what is there.
    static void install(ChannelPipeline pipeline, Flow flow) {
        HttpCodecs.ResponseWriter writer = pipeline.get(HttpCodecs.ResponseWriter.class);
        if (writer == null) {
            writer = new HttpCodecs.ResponseWriter();
            pipeline.addLast(
                    new HttpCodecs.RequestReader(
                            HttpCodecs.config(flow.door().limits().headerBytes())),
                    writer);
        }
        pipeline.addLast(new HttpGate(flow, pipeline.channel(), Optional.of(writer)));
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
        if (state == State.CLOSING || !(message instanceof HttpObject object)) {
            ReferenceCountUtil.release(message);
        } else {
            waiting.add(object);
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
            client.read();
        }
    }

    private boolean takesBody() {
        return state == State.FORWARDING && upstream != null && upstream.channel().isWritable();
    }

    private void begin(HttpObject object) {
        if (!(object instanceof HttpRequest request)) {
            ReferenceCountUtil.release(object);
            return;
        }
        if (deadline != null) {
            deadline.cancel(false);
        }
        one = flow;
        old = HttpMessages.isOld(request);
        head = request.method().equals(HttpMethod.HEAD);
        webSocket = HttpMessages.isWebSocket(request);
        writer.ifPresent(each -> each.answering(head));
        Optional<HttpMessages.Fault> fault = judge(request);
        if (fault.isPresent()) {
            deny(request, fault.get());
            ReferenceCountUtil.release(request);
            return;
        }
        last = old || !HttpUtil.isKeepAlive(request);
        bodyBegun = false;
        ended = false;
        state = State.DIALLING;
        one.credential()
                .ifPresentOrElse(
                        each ->
                                each.injection(
                                        client.eventLoop(),
                                        with -> prepared(request, Optional.of(with)),
                                        why -> unprepared(request, why)),
                        () -> prepared(request, Optional.empty()));
    }

    /// The request can be written, with the value that its credential has now.
    private void prepared(HttpRequest request, Optional<Injection> with) {
        if (!client.isActive() || state != State.DIALLING) {
            ReferenceCountUtil.release(request);
            return;
        }
        HttpRequest written = HttpMessages.upstream(request, one.destination(), with, secure());
        if (one.rule().requests().filter(terms -> !terms.methods().isEmpty()).isPresent()) {
            HttpMessages.removeMethodOverrides(written.headers());
        }
        Optional<HttpMessages.Fault> fault = with.flatMap(each -> each.project(written, secure()));
        if (fault.isPresent()) {
            unprepared(request, fault.get());
            return;
        }
        sent = written;
        injection = with;
        if (request instanceof LastHttpContent whole) {
            waiting.add(whole);
        }
        state = State.DIALLING;
        flow.door()
                .ledger()
                .request(
                        one,
                        request.method().name(),
                        withoutQuery(request.uri()),
                        this::recorded,
                        this::failed);
    }

    private static String withoutQuery(String target) {
        int query = target.indexOf('?');
        return query < 0 ? target : target.substring(0, query);
    }

    private void recorded() {
        if (client.isActive() && state == State.DIALLING) {
            acquire(false);
        }
    }

    private void unprepared(HttpRequest request, HttpMessages.Fault fault) {
        if (client.isActive() && state == State.DIALLING) {
            deny(request, fault);
        }
        ReferenceCountUtil.release(request);
    }

    /// Asks the policy about one request, and takes it out of the budget of the rule that allows
    /// it.
    private Optional<HttpMessages.Fault> judge(HttpRequest request) {
        switch (Judged.of(request, flow.terms().policy(), flow.destination(), secure())) {
            case Judged.Refused(HttpMessages.Fault fault) -> {
                return Optional.of(fault);
            }
            case Judged.Passes(EgressRule rule) -> one = flow.under(rule);
        }
        return flow.terms()
                .allowanceOf(one.rule())
                .filter(each -> !each.request())
                .map(each -> new HttpMessages.Fault(429, each.refusal()));
    }

    private boolean secure() {
        return flow.rule().protocol() == Protocol.HTTPS;
    }

    private void acquire(boolean fresh) {
        state = State.DIALLING;
        Upstreams.How how =
                !secure()
                        ? Upstreams.How.CLEAR
                        : webSocket ? Upstreams.How.SECURE_HTTP1 : Upstreams.How.SECURE;
        flow.door()
                .upstreams(client.eventLoop())
                .acquire(
                        new Upstreams.Key(one.destination(), one.rule(), injection, how),
                        flow.client(),
                        fresh,
                        (connected, failed) -> one.door().dialler().dial(one, connected, failed),
                        this::connected,
                        this::failed);
    }

    private void connected(Upstreams.Lease lease) {
        HttpRequest request = sent;
        if (!client.isActive() || state != State.DIALLING || request == null) {
            lease.end(false);
            return;
        }
        upstream = lease;
        ChannelPipeline pipeline = lease.channel().pipeline();
        injection.ifPresent(each -> pipeline.addLast(CREDENTIAL, each.handler(request)));
        List<Allowance> allowances = one.allowances();
        if (!allowances.isEmpty()) {
            pipeline.addLast(
                    new Spending(
                            allowances,
                            (ctx, reason) ->
                                    ctx.fireUserEventTriggered(
                                            new HttpMessages.Fault(429, reason))));
        }
        pipeline.addLast(new UpstreamResponses(client, this, injection.flatMap(Injection::echoes)));
        lease.channel().config().setAutoRead(true);
        state = State.FORWARDING;
        lease.channel().writeAndFlush(request);
        if (ended) {
            state = State.ANSWERING;
            lease.channel().writeAndFlush(LastHttpContent.EMPTY_LAST_CONTENT);
        }
        pump();
    }

    private void forward(HttpObject object) {
        Upstreams.Lease to = upstream;
        if (to == null
                || object.decoderResult().isFailure()
                || !(object instanceof HttpContent content)) {
            ReferenceCountUtil.release(object);
            Reset.send(client);
            return;
        }
        bodyBegun |= content.content().isReadable();
        if (content instanceof LastHttpContent end) {
            state = State.ANSWERING;
            ended = true;
            to.channel().writeAndFlush(HttpMessages.trailers(end, injection));
        } else {
            to.channel().writeAndFlush(content);
        }
    }

    @Override
    public boolean isHead() {
        return head;
    }

    @Override
    public boolean isOld() {
        return old;
    }

    @Override
    public boolean isLast() {
        return last || state == State.FORWARDING;
    }

    @Override
    public boolean maySwitch() {
        return webSocket && state == State.ANSWERING && waiting.isEmpty();
    }

    /// From here on bytes pass unread, in both directions, until one side or the policy ends it. A
    /// reader that is removed gives what it has read already, so who writes on the other side goes
    /// first.
    @Override
    public void switched() {
        Upstreams.Lease to = upstream;
        if (to == null) {
            return;
        }
        client.flush();
        Channel server = to.channel();
        upstream = null;
        state = State.CLOSING;
        server.config().setAutoRead(false);
        leave(server);
        List<Allowance> allowances = one.allowances();
        if (!allowances.isEmpty()) {
            client.pipeline().addFirst(new Spending(allowances, (_, reason) -> one.refuse(reason)));
        }
        Relay.join(client, server, this);
        client.pipeline().remove(HttpCodecs.ResponseWriter.class);
        server.pipeline().remove(HttpClientCodec.class);
        client.pipeline().remove(HttpCodecs.RequestReader.class);
    }

    /// The answer has been written. One that came before its request had ended leaves the rest of
    /// the request without a reader, so the connection ends with it, or the stream of HTTP/2 does.
    @Override
    public void answered(boolean keep, ChannelFuture written) {
        boolean whole = state == State.ANSWERING;
        boolean theLast = isLast();
        release(keep && whole);
        if (writer.isPresent() && !theLast) {
            state = State.IDLE;
            pump();
            return;
        }
        state = State.CLOSING;
        if (writer.isPresent() || whole) {
            Pages.end(client);
        } else {
            written.addListener(_ -> Pages.enough(client));
        }
    }

    private void release(boolean keep) {
        Upstreams.Lease lease = upstream;
        upstream = null;
        sent = null;
        if (lease != null) {
            leave(lease.channel());
            lease.end(keep);
        }
    }

    /// Takes out what belongs to one request.
    private static void leave(Channel server) {
        ChannelPipeline pipeline = server.pipeline();
        if (pipeline.get(UpstreamResponses.class) != null) {
            pipeline.remove(UpstreamResponses.class);
        }
        if (pipeline.get(CREDENTIAL) != null) {
            pipeline.remove(CREDENTIAL);
        }
        if (pipeline.get(Spending.class) != null) {
            pipeline.remove(Spending.class);
        }
    }

    @Override
    public void withheld(String reason, boolean begun) {
        one.deny(reason);
        upstream = null;
        if (begun) {
            state = State.CLOSING;
            Reset.send(client);
        } else {
            failed(reason);
        }
    }

    @Override
    public void covered() {
        one.deny("the answer repeated the credential, which was covered");
    }

    @Override
    public void refused(HttpMessages.Fault fault, boolean begun) {
        HttpRequest request = sent;
        upstream = null;
        if (begun || request == null) {
            one.deny(fault.reason());
            state = State.CLOSING;
            Reset.send(client);
        } else {
            deny(request, fault);
        }
    }

    @Override
    public void upstreamEnded(Channel channel, boolean begun) {
        Upstreams.Lease lease = upstream;
        if (lease == null || !channel.equals(lease.channel())) {
            return;
        }
        upstream = null;
        HttpRequest request = sent;
        if (state != State.FORWARDING && state != State.ANSWERING) {
            return;
        }
        if (begun) {
            Reset.send(client);
        } else if (lease.reused()
                && !bodyBegun
                && request != null
                && SAFE.contains(request.method())) {
            acquire(true);
        } else {
            failed("the server closed the connection");
        }
    }

    private void failed(String reason) {
        HttpRequest request = sent;
        if (!client.isActive() || request == null) {
            return;
        }
        state = State.CLOSING;
        Pages.answer(
                client, 502, Pages.failed(one.destination(), one.rule().name(), reason), request);
    }

    private void deny(HttpRequest request, HttpMessages.Fault fault) {
        one.deny(request.method().name(), request.uri(), fault.reason());
        state = State.CLOSING;
        Pages.answer(
                client,
                fault.status(),
                Pages.refused(
                        one.destination(),
                        Optional.of(one.rule().name()),
                        fault.reason(),
                        flow.door().contact()),
                request);
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        if (upstream != null && ctx.channel().isWritable()) {
            upstream.channel().config().setAutoRead(true);
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
        Reset.send(ctx.channel());
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        state = State.CLOSING;
        release(false);
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
