package dev.glovebox.egress.onward;

import dev.glovebox.protocol.egress.Destination;
import dev.glovebox.protocol.egress.EgressRule;
import dev.glovebox.protocol.egress.Endpoint;
import dev.glovebox.protocol.egress.Host;
import dev.glovebox.protocol.egress.HostAddress;
import dev.glovebox.protocol.egress.HostName;
import dev.glovebox.protocol.egress.HostPattern;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.GenericFutureListener;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Connects the allowed flows of one door to their upstreams, from the host's own network
/// namespace.
///
/// A name is looked up once; each address found is judged, and exactly a judged address is dialled,
/// by the worker or by the proxy it dials through, so no second lookup can lead elsewhere (DNS
/// rebinding). The one exception is the operator's: a proxy that is told to look up names itself is
/// given the name. An address of this host itself is never dialled unless the operator wrote it
/// down.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
public final class Dialler {
    private static final int MAX_ATTEMPTS = 3;

    /// Time after which the next address is tried besides (RFC 8305 §5).
    private static final Duration MOMENT = Duration.ofMillis(250);

    private final Lookups.Share lookups;
    private final Optional<ProxyAccess> proxy;
    private final Duration timeout;

    /// @param lookups the part of the door
    /// @param proxy to dial through
    /// @param timeout of a whole dial
    Dialler(Lookups.Share lookups, Optional<ProxyAccess> proxy, Duration timeout) {
        this.lookups = lookups;
        this.proxy = proxy;
        this.timeout = timeout;
    }

    /// Finds, judges and connects. Exactly one of the two is called, on the client's event loop;
    /// the channel given is not reading yet.
    public void dial(Errand errand, Consumer<Channel> connected, Consumer<String> failed) {
        new Dial(errand, connected, failed).begin();
    }

    private final class Dial {
        private final Errand errand;
        private final EventLoop loop;
        private final Consumer<Channel> connected;
        private final Consumer<String> failed;
        private final Host host;
        private final int port;
        private final GenericFutureListener<Future<? super Void>> gone =
                _ -> end(Optional.of(Failure.CLIENT_GONE));
        private @Nullable Future<?> deadline;
        private @Nullable Race race;
        private boolean over;

        Dial(Errand errand, Consumer<Channel> connected, Consumer<String> failed) {
            Destination to = errand.destination();
            Optional<Endpoint> elsewhere = errand.rule().connect();
            this.errand = errand;
            this.loop = errand.client().eventLoop();
            this.connected = connected;
            this.failed = failed;
            this.host = elsewhere.map(Endpoint::host).orElse(to.host());
            this.port = elsewhere.map(Endpoint::port).orElse(to.port());
        }

        void begin() {
            deadline =
                    loop.schedule(
                            () -> fail(Failure.LATE), timeout.toMillis(), TimeUnit.MILLISECONDS);
            errand.client().closeFuture().addListener(gone);
            if (over) {
                return;
            }
            switch (host) {
                case HostAddress address -> judge(List.of(address.address()));
                case HostName name -> find(name);
            }
        }

        private void find(HostName name) {
            if (isChosen() && !lookups.mayChoose(name)) {
                fail(
                        Failure.of(
                                "more than "
                                        + lookups.choices()
                                        + " names were tried below patterns"));
            } else if (proxy.filter(each -> each.takes(name)).isPresent()) {
                through(
                        proxy.get(),
                        List.of(InetSocketAddress.createUnresolved(name.text(), port)));
            } else {
                lookups.find(name, loop, this::judge, this::fail);
            }
        }

        /// Whether the name is the sandbox's choice: only a pattern in the policy fits it.
        private boolean isChosen() {
            EgressRule rule = errand.rule();
            return rule.connect().isEmpty() && rule.host() instanceof HostPattern.Subdomains;
        }

        /// Whether the operator wrote the very address down.
        private boolean isWritten() {
            return host instanceof HostAddress written && errand.rule().names(written.address());
        }

        private void judge(List<InetAddress> found) {
            if (over) {
                return;
            }
            List<InetAddress> allowed =
                    found.stream()
                            .map(Line::nameless)
                            .filter(errand.rule()::mayDial)
                            .filter(address -> isWritten() || !isOurs(address))
                            .limit(MAX_ATTEMPTS)
                            .toList();
            List<InetAddress> straight = allowed.stream().filter(this::isDirect).toList();
            if (allowed.isEmpty()) {
                fail(Failure.NOT_PUBLIC);
            } else if (straight.isEmpty() && proxy.isPresent()) {
                through(
                        proxy.get(),
                        allowed.stream().map(each -> new InetSocketAddress(each, port)).toList());
            } else {
                run(straight.stream().<Line>map(this::straightTo).toList(), Optional.of(MOMENT));
            }
        }

        private boolean isDirect(InetAddress address) {
            return proxy.isEmpty() || proxy.get().isDirect(host, address);
        }

        private Line straightTo(InetAddress address) {
            return new DirectLine(loop, new InetSocketAddress(address, port), timeout);
        }

        private void through(ProxyAccess access, List<InetSocketAddress> destinations) {
            access.prepare(
                    lookups,
                    loop,
                    (means, addresses) -> tunnel(means, addresses, destinations),
                    this::fail);
        }

        private void tunnel(
                Tunnel.Means means,
                List<InetSocketAddress> proxies,
                List<InetSocketAddress> destinations) {
            if (over) {
                return;
            }
            List<Line> lines = new ArrayList<>();
            for (InetSocketAddress destination : destinations) {
                for (InetSocketAddress each : proxies) {
                    lines.add(new Tunnel(loop, means, each, destination, patience()));
                }
            }
            run(lines, Optional.empty());
        }

        /// Less than the whole dial has, so that it is told that it was the proxy.
        private Duration patience() {
            return timeout.multipliedBy(3).dividedBy(4);
        }

        private void run(List<Line> lines, Optional<Duration> moment) {
            race = new Race(loop, lines, moment, this::succeed, this::fail);
            race.start();
        }

        private void succeed(Channel upstream) {
            if (over) {
                upstream.close();
                return;
            }
            end(Optional.empty());
            errand.track(upstream);
            connected.accept(upstream);
        }

        private void fail(Failure failure) {
            if (!over) {
                errand.failed(failure);
                end(Optional.of(failure));
            }
        }

        private void end(Optional<Failure> failure) {
            if (over) {
                return;
            }
            over = true;
            if (deadline != null) {
                deadline.cancel(false);
            }
            errand.client().closeFuture().removeListener(gone);
            if (race != null) {
                race.stop();
            }
            failure.ifPresent(why -> failed.accept(why.told()));
        }
    }

    private static boolean isOurs(InetAddress address) {
        try {
            return NetworkInterface.getByInetAddress(address) != null;
        } catch (SocketException e) {
            return true;
        }
    }
}
