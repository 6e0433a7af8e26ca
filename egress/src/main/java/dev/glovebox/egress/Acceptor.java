package dev.glovebox.egress;

import dev.glovebox.egress.wire.ReadSizes;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import java.util.concurrent.TimeUnit;

/// Takes the connections of one listening socket, as many as the door allows at a time, and gives
/// each a [Gate].
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
final class Acceptor extends ChannelInboundHandlerAdapter {
    private static final long PAUSE_MILLIS = 500;

    private final Door door;
    private final EventLoopGroup loops;

    Acceptor(Door door, EventLoopGroup loops) {
        this.door = door;
        this.loops = loops;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        Channel child = (Channel) message;
        if (!door.enter()) {
            child.config().setOption(ChannelOption.SO_LINGER, 0);
            child.unsafe().closeForcibly();
            return;
        }
        child.closeFuture().addListener(_ -> door.leave());
        child.config().setOption(ChannelOption.AUTO_READ, false);
        child.config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
        child.config().setOption(ChannelOption.TCP_NODELAY, true);
        child.config().setRecvByteBufAllocator(ReadSizes.adaptive());
        child.pipeline().addLast(new Gate(door));
        door.track(child);
        loops.register(child)
                .addListener(registered -> {
                    if (!registered.isSuccess()) {
                        child.unsafe().closeForcibly();
                    }
                });
    }

    /// Accepting fails when this process has no descriptor left; trying again at once would only
    /// burn the event loop.
    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        ctx.channel().config().setAutoRead(false);
        ctx.executor()
                .schedule(
                        () -> ctx.channel().config().setAutoRead(true),
                        PAUSE_MILLIS,
                        TimeUnit.MILLISECONDS);
    }
}
