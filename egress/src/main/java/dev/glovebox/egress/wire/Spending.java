package dev.glovebox.egress.wire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufHolder;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.util.ReferenceCountUtil;
import java.util.List;
import java.util.function.BiConsumer;

/// Takes what passes here, in both directions, out of budgets. When one is spent nothing passes any
/// more, and whoever put this here is told once.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
public final class Spending extends ChannelDuplexHandler {
    private final List<Allowance> allowances;
    private final BiConsumer<ChannelHandlerContext, String> spent;
    private boolean over;

    /// @param spent is told one line for people, on the event loop
    public Spending(List<Allowance> allowances, BiConsumer<ChannelHandlerContext, String> spent) {
        this.allowances = List.copyOf(allowances);
        this.spent = spent;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (passes(ctx, message)) {
            ctx.fireChannelRead(message);
        } else {
            ReferenceCountUtil.release(message);
        }
    }

    @Override
    public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
        if (passes(ctx, message)) {
            ctx.write(message, promise);
        } else {
            ReferenceCountUtil.release(message);
            promise.trySuccess();
        }
    }

    private boolean passes(ChannelHandlerContext ctx, Object message) {
        if (over) {
            return false;
        }
        long bytes =
                switch (message) {
                    case ByteBuf plain -> plain.readableBytes();
                    case ByteBufHolder holder -> holder.content().readableBytes();
                    default -> 0;
                };
        for (Allowance each : allowances) {
            over |= !each.bytes(bytes);
            if (over) {
                spent.accept(ctx, each.refusal());
                return false;
            }
        }
        return true;
    }
}
