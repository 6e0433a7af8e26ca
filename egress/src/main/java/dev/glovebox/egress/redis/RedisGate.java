package dev.glovebox.egress.redis;

import dev.glovebox.egress.wire.Deadline;
import dev.glovebox.egress.wire.Wire;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// A rule of protocol `redis` with a credential: the door logs in before the client is heard, and
/// watches the client's commands from then on.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
public final class RedisGate extends ChannelInboundHandlerAdapter {
    private final Wire wire;
    private final CommandRules rules;
    private final Deadline deadline;

    public RedisGate(Wire wire, RedisLogin login) {
        this.wire = wire;
        this.rules = new CommandRules(wire.rule(), login);
        this.deadline = new Deadline(wire.client(), wire.patience());
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        wire.dial(this::connected, this::end);
    }

    private void connected(Channel upstream) {
        if (wire.clear()) {
            logIn(upstream);
        } else {
            wire.secure(upstream, () -> logIn(upstream), this::end);
        }
    }

    private void logIn(Channel upstream) {
        upstream.pipeline().addLast(new Answer(upstream));
        upstream.writeAndFlush(rules.logIn().bytes());
        upstream.read();
    }

    private void pass(Channel upstream) {
        wire.client()
                .pipeline()
                .addBefore(
                        wire.client().pipeline().context(this).name(),
                        null,
                        new RedisCommands(wire, rules));
        wire.relay(upstream, this);
    }

    private void refuse(String reason) {
        wire.denied(reason);
        end(reason);
    }

    private void end(String reason) {
        wire.client()
                .writeAndFlush(
                        Unpooled.copiedBuffer(
                                "-ERR refused by the door: " + reason + "\r\n",
                                StandardCharsets.US_ASCII))
                .addListener(ChannelFutureListener.CLOSE);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        wire.reset();
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        deadline.stop();
    }

    /// Waits for what the server says to the login: one line, whose words stay here.
    private final class Answer extends ByteToMessageDecoder {
        private static final int MAX_LINE = 4096;

        private final Channel upstream;
        private boolean over;

        Answer(Channel upstream) {
            this.upstream = upstream;
            deadline.start(() -> fail("the server did not answer the login in time"));
        }

        @Override
        protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
            int end = in.bytesBefore((byte) '\n');
            if (over || (end < 0 && in.readableBytes() > MAX_LINE)) {
                in.skipBytes(in.readableBytes());
                fail("the server does not speak Redis");
                return;
            }
            if (end < 0) {
                return;
            }
            String line = in.readCharSequence(end + 1, StandardCharsets.ISO_8859_1).toString();
            if (line.equals("+OK\r\n")) {
                over = true;
                deadline.stop();
                pass(upstream);
                ctx.pipeline().remove(this);
            } else {
                fail("it is allowed, but the server refused the login");
            }
        }

        private void fail(String reason) {
            if (!over) {
                over = true;
                deadline.stop();
                refuse(reason);
                upstream.close();
            }
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) throws Exception {
            fail("the server ended the connection during the login");
            super.channelInactive(ctx);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            fail("the connection to the server broke during the login");
        }
    }
}
