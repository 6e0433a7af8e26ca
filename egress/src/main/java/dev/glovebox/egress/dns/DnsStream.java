package dev.glovebox.egress.dns;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;
import java.util.Optional;

/// DNS over TCP: messages with a two-byte length in front (RFC 1035 §4.2.2), already cut by
/// [#framing].
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
public final class DnsStream extends SimpleChannelInboundHandler<ByteBuf> {
    private static final int MAX_MESSAGE = 4096;

    private final DnsAnswers answers;

    /// @param answers what to say
    public DnsStream(DnsAnswers answers) {
        this.answers = answers;
    }

    /// The handler to put in front.
    public static LengthFieldBasedFrameDecoder framing() {
        return new LengthFieldBasedFrameDecoder(MAX_MESSAGE, 0, 2, 0, 2);
    }

    @Override
    protected void channelRead0(ChannelHandlerContext ctx, ByteBuf message) {
        Optional<byte[]> answer = answers.answer(ByteBufUtil.getBytes(message));
        if (answer.isEmpty()) {
            ctx.close();
            return;
        }
        ByteBuf length = ctx.alloc().buffer(2).writeShort(answer.get().length);
        ctx.writeAndFlush(Unpooled.wrappedBuffer(length, Unpooled.wrappedBuffer(answer.get())));
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        ctx.close();
    }
}
