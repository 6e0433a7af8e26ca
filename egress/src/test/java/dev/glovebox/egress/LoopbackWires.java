package dev.glovebox.egress;

import dev.glovebox.egress.tls.UpstreamTls;
import dev.glovebox.egress.wire.Relay;
import dev.glovebox.egress.wire.Wire;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.handler.ssl.SslContext;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;

/// A listening socket on the loopback whose every connection is a wire to one upstream: the
/// machines of the protocols without a namespace or a policy.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
public final class LoopbackWires implements AutoCloseable {
    private final EventLoopGroup loops =
            new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    private final List<String> denials = new CopyOnWriteArrayList<>();
    private final AtomicInteger dialled = new AtomicInteger();
    private final Channel listener;
    private final int upstream;
    private final Duration patience;
    private final Optional<SslContext> tls;

    /// @param upstream port on the loopback
    /// @param tls if the rule does not take its credential in the clear
    /// @param gate makes the handler of one connection
    public LoopbackWires(
            int upstream,
            Optional<SslContext> tls,
            Duration patience,
            Function<Wire, ChannelHandler> gate) {
        this.upstream = upstream;
        this.patience = patience;
        this.tls = tls;
        this.listener =
                new ServerBootstrap()
                        .group(loops)
                        .channel(EpollServerSocketChannel.class)
                        .childOption(ChannelOption.AUTO_READ, false)
                        .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
                        .childHandler(
                                new ChannelInitializer<>() {
                                    @Override
                                    protected void initChannel(Channel channel) {
                                        channel.pipeline().addLast(new Opening(gate));
                                    }
                                })
                        .bind(InetAddress.ofLiteral("127.0.0.1"), 0)
                        .syncUninterruptibly()
                        .channel();
    }

    private final class Opening extends ChannelInboundHandlerAdapter {
        private final Function<Wire, ChannelHandler> gate;

        Opening(Function<Wire, ChannelHandler> gate) {
            this.gate = gate;
        }

        @Override
        public void channelActive(ChannelHandlerContext ctx) {
            ctx.pipeline().addLast(gate.apply(new One(ctx.channel())));
        }
    }

    public int port() {
        return ((InetSocketAddress) listener.localAddress()).getPort();
    }

    public List<String> denials() {
        return denials;
    }

    /// How often the upstream was dialled.
    public int dialled() {
        return dialled.get();
    }

    @Override
    public void close() {
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(5_000);
    }

    private final class One implements Wire {
        private final Channel client;

        One(Channel client) {
            this.client = client;
        }

        @Override
        public Channel client() {
            return client;
        }

        @Override
        public String destination() {
            return "real.test:" + upstream;
        }

        @Override
        public String rule() {
            return "wire";
        }

        @Override
        public Duration patience() {
            return patience;
        }

        @Override
        public boolean clear() {
            return tls.isEmpty();
        }

        @Override
        public void dial(Consumer<Channel> connected, Consumer<String> failed) {
            dialled.incrementAndGet();
            var future =
                    new Bootstrap()
                            .group(client.eventLoop())
                            .channel(EpollSocketChannel.class)
                            .option(ChannelOption.AUTO_READ, false)
                            .option(ChannelOption.ALLOW_HALF_CLOSURE, true)
                            .handler(new ChannelInboundHandlerAdapter())
                            .connect(InetAddress.ofLiteral("127.0.0.1"), upstream);
            future.addListener(_ -> {
                if (future.isSuccess()) {
                    client.closeFuture().addListener(_ -> future.channel().close());
                    connected.accept(future.channel());
                } else {
                    failed.accept("no connection came about");
                }
            });
        }

        @Override
        public void secure(Channel to, Runnable done, Consumer<String> failed) {
            UpstreamTls.begin(
                    to,
                    tls.orElseThrow(),
                    "localhost",
                    upstream,
                    patience,
                    _ -> done.run(),
                    reason -> {
                        denied(reason);
                        failed.accept(reason);
                    });
        }

        @Override
        public void relay(Channel to, ChannelHandler judge) {
            Relay.join(client, to, judge);
        }

        @Override
        public void denied(String reason) {
            denials.add(reason);
        }

        @Override
        public void reset() {
            client.close();
        }
    }
}
