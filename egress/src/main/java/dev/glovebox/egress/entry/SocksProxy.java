package dev.glovebox.egress.entry;

import dev.glovebox.egress.http.Pages;
import dev.glovebox.egress.wire.Deadline;
import dev.glovebox.protocol.egress.Decision;
import dev.glovebox.protocol.egress.Destination;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.ReferenceCountUtil;
import org.jspecify.annotations.Nullable;

/// The door as a SOCKS 5 proxy: nobody need log in, and whoever does is not asked who he is. There
/// is CONNECT and nothing else; SOCKS 4 is told that it is refused.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
public final class SocksProxy extends ChannelInboundHandlerAdapter {
    /// Where it is served.
    public static final int PORT = 1080;

    /// Longest message, and one read that comes behind it.
    private static final int MAX_BYTES = 1024 + 64 * 1024;

    private static final int NONE_ACCEPTABLE = 0xff;

    private enum Next {
        GREETING,
        LOGIN,
        REQUEST,
        NOTHING
    }

    private final Channel client;
    private final Entrance entrance;
    private final Deadline deadline;
    private Next next = Next.GREETING;
    private @Nullable ByteBuf said;

    public SocksProxy(Channel client, Entrance entrance) {
        this.client = client;
        this.entrance = entrance;
        this.deadline = new Deadline(client, entrance.patience());
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        said = ctx.alloc().buffer(512, MAX_BYTES);
        deadline.start(() -> fail("no SOCKS request came in time"));
        ctx.read();
    }

    private void fail(String reason) {
        next = Next.NOTHING;
        entrance.denied(reason);
        entrance.reset();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ByteBuf soFar = said;
        ByteBuf bytes = (ByteBuf) message;
        try {
            if (soFar == null || next == Next.NOTHING) {
                return;
            }
            if (bytes.readableBytes() > soFar.maxWritableBytes()) {
                fail("a SOCKS client says too much before it was answered");
            } else {
                soFar.writeBytes(bytes);
            }
        } finally {
            ReferenceCountUtil.release(message);
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        boolean more = true;
        while (more && next != Next.NOTHING && said != null) {
            more = step(said);
        }
        if (next != Next.NOTHING) {
            ctx.read();
        }
    }

    /// Reads one message.
    ///
    /// @return whether another may be there
    private boolean step(ByteBuf in) {
        SocksMessage message =
                switch (next) {
                    case GREETING -> SocksMessage.greeting(in);
                    case LOGIN -> SocksMessage.login(in);
                    case REQUEST, NOTHING -> SocksMessage.request(in);
                };
        switch (message) {
            case SocksMessage.Incomplete _ -> {
                return false;
            }
            case SocksMessage.Malformed _ -> fail("the first bytes are not SOCKS 5");
            case SocksMessage.Old _ -> {
                entrance.denied("SOCKS 4 is not served, SOCKS 5 is");
                end(0, 0x5b, 0, 0, 0, 0, 0, 0);
            }
            case SocksMessage.Greeting(boolean none, boolean password) -> greet(none, password);
            case SocksMessage.Login _ -> {
                say(1, 0);
                next = Next.REQUEST;
            }
            case SocksMessage.Refused(int code, String reason) -> {
                entrance.denied(reason);
                end(reply(code));
            }
            case SocksMessage.Request(var host, int port) -> {
                next = Next.NOTHING;
                Held held = new Held();
                if (in.isReadable()) {
                    held.hold(in.readRetainedSlice(in.readableBytes()));
                }
                client.pipeline().replace(this, null, held);
                entrance.enter(host, port, new Asked(client));
            }
        }
        return true;
    }

    private void greet(boolean none, boolean password) {
        if (none) {
            say(5, SocksMessage.NO_LOGIN);
            next = Next.REQUEST;
        } else if (password) {
            say(5, SocksMessage.PASSWORD);
            next = Next.LOGIN;
        } else {
            entrance.denied("the SOCKS client offers no way to log in that is known here");
            end(5, NONE_ACCEPTABLE);
        }
    }

    private void say(int... bytes) {
        client.writeAndFlush(bytes(bytes));
    }

    private void end(int... bytes) {
        next = Next.NOTHING;
        deadline.stop();
        say(bytes);
        Pages.end(client);
    }

    private static int[] reply(int code) {
        return new int[] {5, code, 0, 1, 0, 0, 0, 0, 0, 0};
    }

    private static ByteBuf bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return Unpooled.wrappedBuffer(bytes);
    }

    private record Asked(Channel client) implements Entry {
        @Override
        public void granted() {
            client.writeAndFlush(bytes(reply(0)));
        }

        @Override
        public void refused(Destination destination, Decision decision) {
            client.writeAndFlush(bytes(reply(SocksMessage.NOT_ALLOWED)));
            Pages.end(client);
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

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        entrance.reset();
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        deadline.stop();
        if (said != null) {
            said.release();
            said = null;
        }
    }
}
