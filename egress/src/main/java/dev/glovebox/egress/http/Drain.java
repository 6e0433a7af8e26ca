package dev.glovebox.egress.http;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;

/// Throws away what a client still sends after its last answer, to its end or up to a limit; a
/// client that goes on is closed at once.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
final class Drain extends ChannelInboundHandlerAdapter {
    /// More than a client can have on its way before it reads the answer, whatever its buffers.
    private static final long MAX_BYTES = 16 << 20;

    private long drained;

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ByteBuf bytes = (ByteBuf) message;
        drained += bytes.readableBytes();
        bytes.release();
        if (drained > MAX_BYTES) {
            ctx.close();
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
}
