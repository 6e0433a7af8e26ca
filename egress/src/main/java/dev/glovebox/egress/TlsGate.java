package dev.glovebox.egress;

import dev.glovebox.protocol.egress.Host;
import dev.glovebox.protocol.egress.HostName;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A rule of protocol `tls`: the ClientHello must name the host that was allowed, then every byte
/// passes unread.
///
/// A hello that names nobody, somebody else, or hides a name (ECH) is refused before the upstream
/// hears anything. For a destination that is an address, the hello must name nobody. Terminating
/// TLS would begin here, instead of [Relay].
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
final class TlsGate extends ChannelInboundHandlerAdapter {
    private final Flow flow;
    private @Nullable ByteBuf hello;
    private @Nullable Future<?> deadline;

    TlsGate(Flow flow) {
        this.flow = flow;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        hello = ctx.alloc().buffer(2048, ClientHello.MAX_BYTES + 64 * 1024);
        deadline =
                ctx.executor()
                        .schedule(
                                () -> flow.refuse("no ClientHello came in time"),
                                flow.door().limits().firstBytes().toMillis(),
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
            case ClientHello.Malformed(String reason) -> flow.refuse(reason);
            case ClientHello.Complete(Optional<String> name, boolean encrypted) -> {
                Optional<String> fault = fault(flow.destination().host(), name, encrypted);
                if (fault.isPresent()) {
                    flow.refuse(fault.get());
                } else {
                    dial();
                }
            }
        }
    }

    /// Why a hello may not pass to the host; empty if it may.
    static Optional<String> fault(Host host, Optional<String> name, boolean encrypted) {
        if (encrypted) {
            return Optional.of("the ClientHello may hide another name (ECH)");
        }
        if (!(host instanceof HostName)) {
            return name.map(_ -> "the ClientHello names a host, the rule an address");
        }
        if (name.isEmpty()) {
            return Optional.of("the ClientHello names no host (SNI)");
        }
        return name.flatMap(HostName::tryParse).filter(host::equals).isPresent()
                ? Optional.empty()
                : Optional.of("the ClientHello names another host (SNI)");
    }

    private void dial() {
        cancelDeadline();
        flow.door().dialler().dial(flow, this::join, reason -> Flow.reset(flow.client()));
    }

    private void join(Channel upstream) {
        ByteBuf first = hello;
        hello = null;
        if (first != null) {
            upstream.writeAndFlush(first);
        }
        Relay.join(flow.client(), upstream, this);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof ChannelInputShutdownEvent) {
            Flow.reset(ctx.channel());
        } else {
            ctx.fireUserEventTriggered(event);
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        Flow.reset(ctx.channel());
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
