package dev.glovebox.egress.onward;

import dev.glovebox.protocol.Secret;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.EventLoop;
import io.netty.handler.proxy.HttpProxyHandler;
import io.netty.handler.proxy.ProxyHandler;
import io.netty.handler.proxy.Socks5ProxyHandler;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A way through a proxy to a destination (Netty's handlers for proxies).
///
/// When it is open, nothing of the proxy is left in the pipeline but its TLS, if it has one, so
/// that whoever gets the channel may treat it like one that leads straight to the destination.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
public final class Tunnel implements Line {
    private static final String TLS = "proxy-tls";
    private static final String EARLY = "proxy-early";

    private final EventLoop loop;
    private final Means means;
    private final InetSocketAddress proxy;
    private final InetSocketAddress destination;
    private final Duration patience;
    private final ProxyAnswers answers = new ProxyAnswers();
    private @Nullable SslHandler tls;
    private @Nullable Channel channel;
    private boolean stopped;

    /// What is known of the proxy when a dial begins.
    ///
    /// @param proxy what the operator said
    /// @param tls verifies its certificate, if it speaks TLS
    /// @param password for the user that the operator said
    record Means(UpstreamProxy proxy, SslContext tls, Optional<Secret> password) {}

    /// @param proxy one of the proxy's addresses
    /// @param destination an address that was judged, or a name for the proxy to look up
    Tunnel(
            EventLoop loop,
            Means means,
            InetSocketAddress proxy,
            InetSocketAddress destination,
            Duration patience) {
        this.loop = loop;
        this.means = means;
        this.proxy = proxy;
        this.destination = destination;
        this.patience = patience;
    }

    /// Puts a handler where the destination's own bytes begin.
    public static void addFirst(ChannelPipeline upstream, ChannelHandler handler) {
        if (upstream.get(TLS) == null) {
            upstream.addFirst(handler);
        } else {
            upstream.addAfter(TLS, null, handler);
        }
    }

    @Override
    public void begin(Consumer<Channel> open, Consumer<Failure> failed) {
        ProxyHandler handler = handler();
        handler.setConnectTimeoutMillis(patience.toMillis());
        ChannelFuture connect =
                DirectLine.bootstrap(loop, patience, opening(handler)).connect(destination);
        channel = connect.channel();
        connect.addListener(_ ->
                loop.execute(() -> {
                    if (connect.isSuccess()) {
                        await(handler, open, failed);
                    } else if (!stopped) {
                        failed.accept(ProxyAnswers.UNREACHED);
                    }
                }));
    }

    private ChannelInitializer<Channel> opening(ProxyHandler handler) {
        return new ChannelInitializer<>() {
            @Override
            protected void initChannel(Channel made) {
                ChannelPipeline pipeline = made.pipeline();
                if (means.proxy().kind() == UpstreamProxy.Kind.HTTPS) {
                    tls =
                            means.tls()
                                    .newHandler(
                                            made.alloc(),
                                            means.proxy().address().host().text(),
                                            means.proxy().address().port());
                    tls.setHandshakeTimeoutMillis(patience.toMillis());
                    pipeline.addLast(TLS, tls);
                }
                pipeline.addLast(handler);
                pipeline.addBefore(pipeline.context(handler).name(), null, answers);
                pipeline.addLast(EARLY, new EarlyBytes());
            }
        };
    }

    private ProxyHandler handler() {
        Optional<String> user = means.proxy().login().map(UpstreamProxy.Login::user);
        String password = means.password().map(Secret::reveal).orElse("");
        return switch (means.proxy().kind()) {
            case HTTP, HTTPS ->
                    user.map(name -> new HttpProxyHandler(proxy, name, password))
                            .orElseGet(() -> new HttpProxyHandler(proxy));
            case SOCKS5 ->
                    user.map(name -> new Socks5ProxyHandler(proxy, name, password))
                            .orElseGet(() -> new Socks5ProxyHandler(proxy));
        };
    }

    /// Goes on behind the event that ended the exchange with the proxy, so that all that came with
    /// its answer has passed the codec.
    private void await(ProxyHandler handler, Consumer<Channel> open, Consumer<Failure> failed) {
        handler.connectFuture()
                .addListener(opened ->
                        loop.execute(() -> {
                            if (opened.isSuccess()) {
                                Channel made = handler.connectFuture().getNow();
                                strip(made.pipeline());
                                open.accept(made);
                            } else if (!stopped) {
                                stop();
                                failed.accept(failure());
                            }
                        }));
    }

    private static void strip(ChannelPipeline pipeline) {
        for (String name : List.copyOf(pipeline.toMap().keySet())) {
            if (!name.equals(TLS) && !name.equals(EARLY)) {
                pipeline.remove(name);
            }
        }
    }

    private Failure failure() {
        return tls != null && !tls.handshakeFuture().isSuccess()
                ? ProxyAnswers.NO_TLS
                : answers.failure();
    }

    @Override
    public void stop() {
        stopped = true;
        if (channel != null) {
            channel.close();
        }
    }
}
