package dev.glovebox.egress;

import dev.glovebox.egress.wire.Relay;
import dev.glovebox.egress.wire.Reset;
import dev.glovebox.protocol.egress.HostName;
import dev.glovebox.protocol.egress.Protocol;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A rule of protocol `tcp`: any bytes pass, in both directions, so nothing is waited for.
///
/// Where no rule spoke and the policy learns, a client that goes to a name has a moment to speak
/// first. If it begins TLS, the connection goes on as under a rule of protocol `tls`, and a record
/// says so: what is proposed later can then be held to that name. A client that waits for its
/// server is passed through, as is one that says anything else.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
final class TcpGate extends ChannelDuplexHandler {
    private static final long FIRST_WORD_MILLIS = 300;
    private static final int HANDSHAKE = 22;

    private final Flow flow;
    private boolean watching;
    private @Nullable ByteBuf first;
    private @Nullable Future<?> deadline;

    TcpGate(Flow flow) {
        this.flow = flow;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        if (flow.rule().isLearned() && flow.destination().host() instanceof HostName) {
            watching = true;
            deadline =
                    ctx.executor().schedule(this::pass, FIRST_WORD_MILLIS, TimeUnit.MILLISECONDS);
            ctx.read();
        } else {
            dial();
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        first = (ByteBuf) message;
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        if (!watching || first == null) {
            return;
        }
        if (first.getUnsignedByte(first.readerIndex()) == HANDSHAKE) {
            watching = false;
            flow.door().ledger().found(flow, Protocol.TLS);
            ctx.pipeline().addAfter(ctx.name(), null, TlsGate.passing(flow));
            ctx.pipeline().remove(this);
        } else {
            pass();
        }
    }

    /// Gives what has been read to the handler behind this one when it asks.
    @Override
    public void read(ChannelHandlerContext ctx) {
        ByteBuf held = first;
        first = null;
        if (held == null) {
            ctx.read();
        } else {
            ctx.fireChannelRead(held);
            ctx.fireChannelReadComplete();
        }
    }

    private void pass() {
        if (watching) {
            watching = false;
            dial();
        }
    }

    private void dial() {
        flow.door().dialler().dial(flow, this::join, reason -> Reset.send(flow.client()));
    }

    private void join(Channel upstream) {
        ByteBuf begun = first;
        first = null;
        if (begun != null) {
            upstream.writeAndFlush(begun);
        }
        Relay.join(flow.client(), upstream, this);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof ChannelInputShutdownEvent) {
            pass();
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
        if (deadline != null) {
            deadline.cancel(false);
        }
        ReferenceCountUtil.release(first);
        first = null;
    }
}
