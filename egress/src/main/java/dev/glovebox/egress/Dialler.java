package dev.glovebox.egress;

import dev.glovebox.protocol.egress.Destination;
import dev.glovebox.protocol.egress.Endpoint;
import dev.glovebox.protocol.egress.Host;
import dev.glovebox.protocol.egress.HostAddress;
import dev.glovebox.protocol.egress.HostName;
import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.epoll.EpollSocketChannel;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;

/// Connects allowed flows to their upstreams, from the host's own network namespace.
///
/// A name is looked up once; each address found is judged, and exactly a judged address object is
/// dialled, so no second lookup can lead elsewhere (DNS rebinding). An address of this host itself
/// is never dialled unless the operator wrote it down.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
final class Dialler {
    private static final int MAX_ATTEMPTS = 3;

    private final Resolver resolver;
    private final ExecutorService lookups;
    private final Duration timeout;

    /// @param lookups where blocking lookups run; refuses when it has too many
    Dialler(Resolver resolver, ExecutorService lookups, Duration timeout) {
        this.resolver = resolver;
        this.lookups = lookups;
        this.timeout = timeout;
    }

    /// Finds, judges and connects. Exactly one of the two is called, on the client's event loop;
    /// the channel given is not reading yet.
    void dial(Flow flow, Consumer<Channel> connected, Consumer<String> failed) {
        Destination to = flow.destination();
        Host host = flow.rule().connect().map(Endpoint::host).orElse(to.host());
        int port = flow.rule().connect().map(Endpoint::port).orElse(to.port());
        Attempt attempt = new Attempt(flow, port, connected, failed);
        switch (host) {
            case HostAddress address -> attempt.judge(List.of(address.address()), true);
            case HostName name -> lookUp(name, attempt);
        }
    }

    private void lookUp(HostName name, Attempt attempt) {
        try {
            lookups.execute(() -> {
                try {
                    List<InetAddress> found = resolver.resolve(name);
                    attempt.onLoop(() -> attempt.judge(found, false));
                } catch (UnknownHostException e) {
                    attempt.onLoop(() -> attempt.fail("the name has no address"));
                } catch (RuntimeException e) {
                    attempt.onLoop(() -> attempt.fail("the name could not be looked up"));
                }
            });
        } catch (RejectedExecutionException e) {
            attempt.fail("too many lookups are waiting");
        }
    }

    private final class Attempt {
        private final Flow flow;
        private final int port;
        private final Consumer<Channel> connected;
        private final Consumer<String> failed;

        Attempt(Flow flow, int port, Consumer<Channel> connected, Consumer<String> failed) {
            this.flow = flow;
            this.port = port;
            this.connected = connected;
            this.failed = failed;
        }

        void onLoop(Runnable step) {
            flow.client().eventLoop().execute(step);
        }

        void fail(String reason) {
            flow.door().deny(flow.destination().host().text(), flow.destination().port(), reason);
            failed.accept(reason);
        }

        void judge(List<InetAddress> found, boolean written) {
            List<InetAddress> allowed =
                    found.stream()
                            .filter(flow.rule()::mayDial)
                            .filter(address -> written || !isOurs(address))
                            .limit(MAX_ATTEMPTS)
                            .toList();
            if (allowed.isEmpty()) {
                fail("the name leads to no public address");
            } else if (flow.client().isOpen()) {
                connect(allowed, 0);
            }
        }

        private void connect(List<InetAddress> addresses, int index) {
            ChannelFuture future =
                    bootstrap().connect(new InetSocketAddress(addresses.get(index), port));
            future.addListener(_ -> {
                if (future.isSuccess()) {
                    flow.door().track(future.channel());
                    connected.accept(future.channel());
                } else if (index + 1 < addresses.size() && flow.client().isOpen()) {
                    connect(addresses, index + 1);
                } else {
                    fail("it is allowed, but no connection came about");
                }
            });
        }

        private Bootstrap bootstrap() {
            return new Bootstrap()
                    .group(flow.client().eventLoop())
                    .channel(EpollSocketChannel.class)
                    .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) timeout.toMillis())
                    .option(ChannelOption.ALLOW_HALF_CLOSURE, true)
                    .option(ChannelOption.AUTO_READ, false)
                    .option(ChannelOption.TCP_NODELAY, true)
                    .handler(nothing());
        }
    }

    private static ChannelHandler nothing() {
        return new ChannelInboundHandlerAdapter();
    }

    private static boolean isOurs(InetAddress address) {
        try {
            return NetworkInterface.getByInetAddress(address) != null;
        } catch (SocketException e) {
            return true;
        }
    }
}
