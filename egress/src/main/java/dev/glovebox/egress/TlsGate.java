package dev.glovebox.egress;

import dev.glovebox.egress.http.HttpCodecs;
import dev.glovebox.egress.http.Refusal;
import dev.glovebox.egress.tls.HttpsEnd;
import dev.glovebox.egress.wire.ClientHello;
import dev.glovebox.egress.wire.Relay;
import dev.glovebox.egress.wire.Reset;
import dev.glovebox.protocol.egress.Destination;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.security.GeneralSecurityException;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Reads a ClientHello, which must name the host that was dialled, and decides what becomes of the
/// connection.
///
/// - `tls`: every byte passes unread. A hello that names nobody or hides a name (ECH) is refused
///   before the upstream hears anything. For a destination that is an address, the hello must name
///   nobody.
/// - `https`: TLS ends here. A hello without a name is taken to mean the host that was dialled, and
///   a name that ECH hides is never seen by anybody.
/// - refused: TLS ends here too, only to say so.
///
/// Bytes that are not TLS end the connection in any case.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
final class TlsGate extends ChannelInboundHandlerAdapter {
    /// Fatal alert `unrecognized_name` (RFC 6066 §3).
    private static final byte[] UNRECOGNIZED_NAME = {0x15, 3, 3, 0, 2, 2, 112};

    private final Channel client;
    private final long millis;
    private final Consumer<String> refuse;
    private final Function<ClientHello.Complete, Optional<String>> fault;
    private final BiConsumer<TlsGate, ChannelHandlerContext> next;
    private @Nullable ByteBuf hello;
    private @Nullable Future<?> deadline;

    private TlsGate(
            Channel client,
            DoorLimits limits,
            Consumer<String> refuse,
            Function<ClientHello.Complete, Optional<String>> fault,
            BiConsumer<TlsGate, ChannelHandlerContext> next) {
        this.client = client;
        this.millis = limits.firstBytes().toMillis();
        this.refuse = refuse;
        this.fault = fault;
        this.next = next;
    }

    /// A rule of protocol `tls`.
    static TlsGate passing(Flow flow) {
        return new TlsGate(
                flow.client(),
                flow.door().limits(),
                flow::refuse,
                hello -> hello.faultFor(flow.destination().host()),
                (gate, _) -> gate.dial(flow));
    }

    /// A rule of protocol `https`.
    static TlsGate ending(Flow flow) {
        return new TlsGate(
                flow.client(),
                flow.door().limits(),
                reason -> {
                    flow.door()
                            .deny(
                                    flow.destination().host().text(),
                                    flow.destination().port(),
                                    reason);
                    alert(flow.client());
                },
                hello -> hello.misnamed(flow.destination().host()),
                (gate, ctx) ->
                        gate.end(
                                ctx,
                                flow.door(),
                                flow.destination(),
                                pipeline -> HttpGate.install(pipeline, flow),
                                stream -> new HttpGate(flow, stream, Optional.empty())));
    }

    /// A connection that is refused, and is told so if it goes on in HTTP.
    static TlsGate refusing(Channel client, Door door, Destination destination, Refusal refusal) {
        return new TlsGate(
                client,
                door.limits(),
                _ -> Reset.send(client),
                hello -> hello.misnamed(destination.host()),
                (gate, ctx) ->
                        gate.end(
                                ctx,
                                door,
                                destination,
                                pipeline -> refusal.install(pipeline, door.limits().headerBytes()),
                                _ -> refusal));
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        hello = ctx.alloc().buffer(2048, ClientHello.MAX_BYTES + 64 * 1024);
        deadline =
                ctx.executor()
                        .schedule(
                                () -> refuse.accept("no ClientHello came in time"),
                                millis,
                                TimeUnit.MILLISECONDS);
        ctx.read();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ByteBuf soFar = hello;
        try {
            if (soFar != null && soFar.maxWritableBytes() >= ((ByteBuf) message).readableBytes()) {
                soFar.writeBytes((ByteBuf) message);
            }
        } finally {
            ReferenceCountUtil.release(message);
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        ByteBuf soFar = hello;
        if (soFar == null || !ctx.channel().isOpen()) {
            return;
        }
        switch (ClientHello.read(soFar)) {
            case ClientHello.Incomplete() -> ctx.read();
            case ClientHello.Malformed(String reason) -> refuse.accept(reason);
            case ClientHello.Complete complete -> {
                Optional<String> found = fault.apply(complete);
                cancelDeadline();
                if (found.isPresent()) {
                    refuse.accept(found.get());
                } else {
                    next.accept(this, ctx);
                }
            }
        }
    }

    private static void alert(Channel client) {
        client.writeAndFlush(Unpooled.wrappedBuffer(UNRECOGNIZED_NAME))
                .addListener(ChannelFutureListener.CLOSE);
    }

    private void dial(Flow flow) {
        flow.door().dialler().dial(flow, this::join, reason -> Reset.send(flow.client()));
    }

    private void join(Channel upstream) {
        ByteBuf first = hello;
        hello = null;
        if (first != null) {
            upstream.writeAndFlush(first);
        }
        Relay.join(client, upstream, this);
    }

    /// Answers as the host. No certificate, no connection: there is no way on but this one.
    private void end(
            ChannelHandlerContext ctx,
            Door door,
            Destination destination,
            Consumer<ChannelPipeline> http1,
            Function<Channel, ChannelHandler> stream) {
        ByteBuf first = hello;
        hello = null;
        SslHandler tls;
        try {
            tls = door.trust().leaves().handler(destination.host(), ctx.alloc());
        } catch (GeneralSecurityException e) {
            ReferenceCountUtil.release(first);
            refuse.accept("the door has no certificate for it");
            return;
        }
        HttpsEnd.install(
                ctx.pipeline(),
                tls,
                new HttpsEnd.Handlers(
                        http1,
                        stream,
                        () ->
                                door.deny(
                                        destination.host().text(),
                                        destination.port(),
                                        "the client does not accept the certificate of this"
                                                + " sandbox's door")),
                HttpCodecs.streams(door.limits().headerBytes()),
                millis);
        ctx.fireChannelRead(first);
        ctx.fireChannelReadComplete();
        ctx.pipeline().remove(this);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof ChannelInputShutdownEvent) {
            Reset.send(ctx.channel());
        } else {
            ctx.fireUserEventTriggered(event);
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        Reset.send(ctx.channel());
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        cancelDeadline();
        if (hello != null) {
            hello.release();
            hello = null;
        }
    }

    private void cancelDeadline() {
        if (deadline != null) {
            deadline.cancel(false);
        }
    }
}
