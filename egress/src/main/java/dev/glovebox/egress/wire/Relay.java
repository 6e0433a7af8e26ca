package dev.glovebox.egress.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;

/// One direction of a connection passed through: what is read here is written there.
///
/// Both channels live on one event loop. What was read goes on before more is read, while it is
/// warm; reading pauses while the other side does not take it, so at most one read and one write
/// buffer a direction are held. The end of one direction is passed on as the end of that direction;
/// when both have ended, both channels close.
///
/// Bytes pass through this process, though Linux could move them between sockets without it
/// (`splice(2)`): see decision 0028.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
public final class Relay extends ChannelInboundHandlerAdapter {
    /// Small messages are written together; this much goes on at once.
    private static final int AT_ONCE = 64 * 1024;

    private final Channel peer;
    private int unflushed;

    private Relay(Channel peer) {
        this.peer = peer;
    }

    /// Joins two channels that are not reading, the client's judging handler giving way.
    public static void join(Channel client, Channel upstream, ChannelHandler judge) {
        if (!client.isOpen()) {
            upstream.close();
            return;
        }
        client.pipeline().replace(judge, null, new Relay(upstream));
        upstream.pipeline().addLast(new Relay(client));
        client.config().setAutoRead(true);
        upstream.config().setAutoRead(true);
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        unflushed += ((ByteBuf) message).readableBytes();
        peer.write(message, peer.voidPromise());
        if (unflushed >= AT_ONCE) {
            flush(ctx.channel());
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        flush(ctx.channel());
    }

    private void flush(Channel from) {
        unflushed = 0;
        peer.flush();
        if (!peer.isWritable()) {
            from.config().setAutoRead(false);
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        if (ctx.channel().isWritable()) {
            peer.config().setAutoRead(true);
        }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof ChannelInputShutdownEvent) {
            peer.writeAndFlush(Unpooled.EMPTY_BUFFER)
                    .addListener(_ -> endOutput(peer, ctx.channel()));
        } else {
            ctx.fireUserEventTriggered(event);
        }
    }

    private static void endOutput(Channel to, Channel from) {
        DuplexChannel output = (DuplexChannel) to;
        output.shutdownOutput();
        if (output.isInputShutdown()) {
            to.close();
            from.close();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        peer.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        Reset.send(ctx.channel());
        Reset.send(peer);
    }
}
