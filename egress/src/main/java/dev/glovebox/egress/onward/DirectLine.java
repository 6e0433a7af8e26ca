package dev.glovebox.egress.onward;

import dev.glovebox.egress.wire.ReadSizes;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.epoll.EpollSocketChannel;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Straight to an address.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
final class DirectLine implements Line {
    private final EventLoop loop;
    private final InetSocketAddress address;
    private final Duration patience;
    private @Nullable Channel channel;

    DirectLine(EventLoop loop, InetSocketAddress address, Duration patience) {
        this.loop = loop;
        this.address = address;
        this.patience = patience;
    }

    @Override
    public void begin(Consumer<Channel> open, Consumer<Failure> failed) {
        ChannelFuture connect =
                bootstrap(loop, patience, new ChannelInboundHandlerAdapter()).connect(address);
        channel = connect.channel();
        connect.addListener(_ ->
                loop.execute(() -> {
                    if (connect.isSuccess()) {
                        open.accept(connect.channel());
                    } else if (!connect.isCancelled()) {
                        failed.accept(Failure.UNREACHED);
                    }
                }));
    }

    @Override
    public void stop() {
        if (channel != null) {
            channel.close();
        }
    }

    /// Makes channels of TCP that are not reading and never look a name up.
    static Bootstrap bootstrap(EventLoop loop, Duration patience, ChannelHandler handler) {
        return new Bootstrap()
                .group(loop)
                .channel(EpollSocketChannel.class)
                .disableResolver()
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) patience.toMillis())
                .option(ChannelOption.ALLOW_HALF_CLOSURE, true)
                .option(ChannelOption.AUTO_READ, false)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.RECVBUF_ALLOCATOR, ReadSizes.adaptive())
                .handler(handler);
    }
}
