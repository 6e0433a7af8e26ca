package dev.glovebox.egress.wire;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;

/// Counts the bytes of a connection as they are on the wire: the first handler of its pipeline.
/// Written on the event loop, read when the connection has ended.
@SuppressWarnings({
    "FutureReturnValueIgnored", // a channel that fails closes itself
    "NonAtomicVolatileUpdate" // one event loop writes
})
public final class Meter extends ChannelDuplexHandler {
    private volatile long in;
    private volatile long out;

    /// Bytes that the client sent.
    public long fromClient() {
        return in;
    }

    /// Bytes that were written to the client.
    public long toClient() {
        return out;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (message instanceof ByteBuf bytes) {
            in += bytes.readableBytes();
        }
        ctx.fireChannelRead(message);
    }

    @Override
    public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
        if (message instanceof ByteBuf bytes) {
            out += bytes.readableBytes();
        }
        ctx.write(message, promise);
    }
}
