package dev.glovebox.egress.onward;

import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.util.ReferenceCountUtil;
import java.util.ArrayDeque;
import java.util.Queue;

/// Keeps what a server said right behind the proxy's own answer until somebody reads. It is not
/// more than one read brought, since nobody reads until then.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
final class EarlyBytes extends ChannelDuplexHandler {
    private final Queue<Object> held = new ArrayDeque<>();

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        held.add(message);
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        // nothing has been read yet, as far as those behind are concerned
    }

    /// Called when those behind begin to read: they are all there then.
    @Override
    public void read(ChannelHandlerContext ctx) {
        ctx.pipeline().remove(this);
        boolean some = !held.isEmpty();
        while (!held.isEmpty()) {
            ctx.fireChannelRead(held.remove());
        }
        if (some) {
            ctx.fireChannelReadComplete();
        }
        ctx.read();
    }

    /// Whoever waits for the tunnel is told by its future; the message would name the proxy.
    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        ctx.close();
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        if (!ctx.channel().isOpen()) {
            held.forEach(ReferenceCountUtil::release);
            held.clear();
        }
    }
}
