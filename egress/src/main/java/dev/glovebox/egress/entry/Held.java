package dev.glovebox.egress.entry;

import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.ReferenceCountUtil;
import java.util.ArrayDeque;
import java.util.Queue;

/// Holds what comes before anybody asks for it, and leaves when somebody does.
///
/// A connection is read by hand until it has been judged and its server found. Two things come
/// unasked all the same. A client that has named its destination may go on without waiting for the
/// answer. And when a client ends its side, Netty's epoll transport reads what is there to the end,
/// whether it was told to read or not; nobody who listens yet would be a byte lost. That is never
/// more than the kernel had taken from the client, whose window does not grow while nobody reads.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
public final class Held extends ChannelDuplexHandler {
    private final Queue<Object> waiting = new ArrayDeque<>();
    private boolean asked;
    private boolean delivering;

    /// Holds a message as if it had come.
    void hold(Object message) {
        waiting.add(message);
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (delivering) {
            ctx.fireChannelRead(message);
        } else {
            waiting.add(message);
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        if (delivering) {
            ctx.fireChannelReadComplete();
        }
    }

    /// The end of the client's side comes after what it said.
    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof ChannelInputShutdownEvent && !delivering) {
            waiting.add(event);
        } else {
            ctx.fireUserEventTriggered(event);
        }
    }

    /// Whoever asks may still be on its way into the pipeline, so it is given nothing before that
    /// is done.
    @Override
    public void read(ChannelHandlerContext ctx) {
        if (delivering) {
            ctx.read();
        } else if (waiting.isEmpty()) {
            delivering = true;
            ctx.read();
            ctx.pipeline().remove(this);
        } else if (!asked) {
            asked = true;
            ctx.executor().execute(() -> deliver(ctx));
        }
    }

    private void deliver(ChannelHandlerContext ctx) {
        if (ctx.isRemoved()) {
            return;
        }
        delivering = true;
        boolean complete = true;
        while (!waiting.isEmpty()) {
            Object next = waiting.remove();
            if (next instanceof ChannelInputShutdownEvent) {
                ctx.fireChannelReadComplete();
                ctx.fireUserEventTriggered(next);
                complete = false;
            } else {
                ctx.fireChannelRead(next);
            }
        }
        if (complete) {
            ctx.fireChannelReadComplete();
        }
        if (ctx.channel().config().isAutoRead()) {
            ctx.read();
        }
        if (!ctx.isRemoved()) {
            ctx.pipeline().remove(this);
        }
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        waiting.forEach(ReferenceCountUtil::release);
        waiting.clear();
    }
}
