package dev.glovebox.egress.onward;

import dev.glovebox.egress.credential.CredentialStore;
import dev.glovebox.egress.lookup.DnsResolver;
import dev.glovebox.egress.lookup.Resolver;
import dev.glovebox.egress.tls.TrustedRoots;
import io.netty.channel.EventLoopGroup;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;

/// The way out of all doors of one worker: how names are looked up, and what is dialled through.
public final class Onward implements AutoCloseable {
    private final Lookups lookups;
    private final Optional<ProxyAccess> proxy;
    private final Duration timeout;
    private final Optional<DnsResolver> own;

    private Onward(
            Lookups lookups,
            Optional<ProxyAccess> proxy,
            Duration timeout,
            Optional<DnsResolver> own) {
        this.lookups = lookups;
        this.proxy = proxy;
        this.timeout = timeout;
        this.own = own;
    }

    /// Makes it ready; nothing is looked up or dialled.
    ///
    /// @param given looks names up instead of the name servers
    /// @param loops on one of which questions are sent
    /// @param store has the password for a proxy
    /// @param roots verify a proxy that speaks TLS
    /// @param timeout of a whole dial
    public static Onward open(
            OnwardConfig config,
            Optional<Resolver> given,
            EventLoopGroup loops,
            CredentialStore store,
            TrustedRoots roots,
            Duration timeout) {
        Optional<DnsResolver> own =
                given.isPresent()
                        ? Optional.empty()
                        : Optional.of(
                                new DnsResolver(
                                        config.lookups(), loops.next(), InstantSource.system()));
        Resolver resolver = given.or(() -> own).orElseThrow();
        Optional<ProxyAccess> proxy =
                config.proxy()
                        .map(each ->
                                new ProxyAccess(
                                        each,
                                        roots.forHttp1(),
                                        each.login()
                                                .map(UpstreamProxy.Login::password)
                                                .map(store::secret)));
        return new Onward(new Lookups(resolver, config.lookups().limits()), proxy, timeout, own);
    }

    /// The part of one more door.
    public Dialler dialler() {
        return new Dialler(lookups.share(), proxy, timeout);
    }

    /// Ends the questions that are under way.
    @Override
    public void close() {
        own.ifPresent(DnsResolver::close);
    }
}
