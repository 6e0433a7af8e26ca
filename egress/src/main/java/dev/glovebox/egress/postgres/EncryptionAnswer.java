package dev.glovebox.egress.postgres;

import dev.glovebox.egress.wire.Deadline;
import dev.glovebox.egress.wire.Wire;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;
import java.util.function.Consumer;

/// Waits for the one byte with which a server says whether it speaks TLS. A second byte would have
/// been injected in front of the encryption (CVE-2021-23222).
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
final class EncryptionAnswer extends ChannelInboundHandlerAdapter {
    private final Runnable yes;
    private final Consumer<String> no;
    private final Deadline deadline;
    private boolean over;

    EncryptionAnswer(Wire wire, Runnable yes, Consumer<String> no) {
        this.yes = yes;
        this.no = no;
        this.deadline = new Deadline(wire.client(), wire.patience());
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        deadline.start(() -> fail(ctx, "the server did not answer in time"));
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        try {
            ByteBuf answer = (ByteBuf) message;
            if (answer.readableBytes() == 1 && answer.getByte(answer.readerIndex()) == 'S') {
                over = true;
                deadline.stop();
                ctx.pipeline().remove(this);
                yes.run();
            } else {
                fail(
                        ctx,
                        "the server does not offer TLS and the rule does not take its credential"
                                + " in the clear");
            }
        } finally {
            ReferenceCountUtil.release(message);
        }
    }

    private void fail(ChannelHandlerContext ctx, String reason) {
        if (!over) {
            over = true;
            deadline.stop();
            no.accept(reason);
            ctx.close();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        fail(ctx, "the server ended the connection when it was asked for TLS");
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        fail(ctx, "the connection to the server broke before TLS");
    }
}
