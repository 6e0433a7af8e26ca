package dev.glovebox.egress.tls;

import dev.glovebox.protocol.egress.Host;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.net.ssl.SSLException;

/// The server's side of TLS towards one sandbox: for each host a certificate of the door's
/// [Authority], made when it is first needed. Thread-safe.
///
/// All have one key, which exists here only. The most recently used are kept, up to a number.
/// Whoever asks has judged the host: nothing here knows the policy.
public final class Leaves implements AutoCloseable {
    private final Authority authority;
    private final KeyPair keys;
    private final InstantSource clock;
    private final Map<Host, SslContext> contexts;
    private boolean closed;

    /// @param capacity how many are kept
    /// @throws GeneralSecurityException if this JVM cannot make the key
    public Leaves(Authority authority, int capacity, InstantSource clock)
            throws GeneralSecurityException {
        this.authority = authority;
        this.keys = authority.newLeafKeys();
        this.clock = clock;
        this.contexts =
                new LinkedHashMap<>(16, 0.75f, true) {
                    private static final long serialVersionUID = 1L;

                    @Override
                    protected boolean removeEldestEntry(Map.Entry<Host, SslContext> eldest) {
                        if (size() <= capacity) {
                            return false;
                        }
                        TlsProvider.release(eldest.getValue());
                        return true;
                    }
                };
    }

    /// Answers as this host on one connection.
    ///
    /// @throws GeneralSecurityException if no certificate can be made
    public synchronized SslHandler handler(Host host, ByteBufAllocator buffers)
            throws GeneralSecurityException {
        return of(host).newHandler(buffers);
    }

    /// What is kept for the host, good until others have taken its place.
    synchronized SslContext of(Host host) throws GeneralSecurityException {
        SslContext known = contexts.get(host);
        if (known != null) {
            return known;
        }
        if (closed) {
            throw new GeneralSecurityException("the door is closed");
        }
        try {
            X509Certificate leaf = authority.issue(host, keys.getPublic(), clock.instant());
            SslContext made =
                    TlsProvider.spoken(
                                    SslContextBuilder.forServer(
                                            keys.getPrivate(), leaf, authority.certificate()),
                                    ApplicationProtocolNames.HTTP_2,
                                    ApplicationProtocolNames.HTTP_1_1)
                            .build();
            contexts.put(host, made);
            return made;
        } catch (SSLException e) {
            throw new GeneralSecurityException("no TLS for " + host.text(), e);
        }
    }

    /// Answers nobody any more. Idempotent.
    @Override
    public synchronized void close() {
        closed = true;
        contexts.values().forEach(TlsProvider::release);
        contexts.clear();
    }

    synchronized int size() {
        return contexts.size();
    }
}
