package dev.glovebox.egress.onward;

import dev.glovebox.egress.credential.LiveSecret;
import dev.glovebox.protocol.Secret;
import dev.glovebox.protocol.egress.Host;
import dev.glovebox.protocol.egress.HostAddress;
import dev.glovebox.protocol.egress.HostName;
import io.netty.channel.EventLoop;
import io.netty.handler.ssl.SslContext;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/// How to get to the proxy that the worker dials through: its addresses and the password that is
/// good now, both found anew for each dial. Thread-safe.
final class ProxyAccess {
    private static final int MAX_ADDRESSES = 2;

    private final UpstreamProxy proxy;
    private final SslContext tls;
    private final Optional<LiveSecret> password;

    ProxyAccess(UpstreamProxy proxy, SslContext tls, Optional<LiveSecret> password) {
        this.proxy = proxy;
        this.tls = tls;
        this.password = password;
    }

    /// Whether the proxy is given this name, and nobody looks it up here.
    boolean takes(HostName name) {
        return proxy.takesNames() && !proxy.isDirect(name);
    }

    /// Whether the address, found for the host, is dialled past the proxy.
    boolean isDirect(Host host, InetAddress found) {
        return proxy.isDirect(host) || proxy.isDirect(found);
    }

    /// Gets ready for one dial. One of the two is called, on the event loop.
    void prepare(
            Lookups.Share lookups,
            EventLoop loop,
            BiConsumer<Tunnel.Means, List<InetSocketAddress>> ready,
            Consumer<Failure> failed) {
        Consumer<Tunnel.Means> known =
                means -> {
                    switch (proxy.address().host()) {
                        case HostAddress address ->
                                ready.accept(means, endpoints(List.of(address.address())));
                        case HostName name ->
                                lookups.find(
                                        name,
                                        loop,
                                        found -> ready.accept(means, endpoints(found)),
                                        why ->
                                                failed.accept(
                                                        new Failure(
                                                                ProxyAnswers.UNREACHED.told(),
                                                                "the upstream proxy: "
                                                                        + why.detail())));
                    }
                };
        if (password.isEmpty()) {
            known.accept(new Tunnel.Means(proxy, tls, Optional.empty()));
        } else {
            CompletableFuture<LiveSecret.Held> asked = password.get().value();
            asked.whenCompleteAsync(
                            (held, failure) -> {
                                if (failure == null) {
                                    Secret secret = held.value();
                                    known.accept(new Tunnel.Means(proxy, tls, Optional.of(secret)));
                                } else {
                                    failed.accept(ProxyAnswers.NO_PASSWORD);
                                }
                            },
                            loop)
                    .exceptionally(_ -> null);
        }
    }

    private List<InetSocketAddress> endpoints(List<InetAddress> addresses) {
        return addresses.stream()
                .limit(MAX_ADDRESSES)
                .map(address ->
                        new InetSocketAddress(Line.nameless(address), proxy.address().port()))
                .toList();
    }
}
