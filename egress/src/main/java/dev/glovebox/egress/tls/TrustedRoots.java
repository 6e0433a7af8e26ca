package dev.glovebox.egress.tls;

import dev.glovebox.egress.EgressException;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.cert.CRL;
import java.security.cert.CertPathBuilder;
import java.security.cert.CertStore;
import java.security.cert.CertificateFactory;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.CertPathTrustManagerParameters;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/// Whom the worker believes about servers outside, and the client's side of TLS that follows from
/// it.
///
/// Every chain must lead to one of these roots, satisfy [CertificateRules] and name the host that
/// was asked for. There is no switch that turns this off. Revocation is known from lists (CRL) in
/// the same file and from nowhere else: nothing is ever fetched to judge a certificate, because
/// what to fetch would be the server's choice.
public final class TrustedRoots implements AutoCloseable {
    private static final List<Path> SYSTEM =
            List.of(
                    Path.of("/etc/ssl/certs/ca-certificates.crt"),
                    Path.of("/etc/pki/tls/certs/ca-bundle.crt"),
                    Path.of("/etc/ssl/ca-bundle.pem"),
                    Path.of("/etc/ssl/cert.pem"));
    private static final long MAX_BYTES = 16L << 20;
    private static final Pattern PEM =
            Pattern.compile(
                    "-----BEGIN (CERTIFICATE|TRUSTED CERTIFICATE|X509 CRL)-----.*?-----END"
                            + " \\1-----",
                    Pattern.DOTALL);

    private final List<X509Certificate> roots;
    private final TrustManagerFactory factory;
    private final SslContext anyVersion;
    private final SslContext http1;
    private final SslContext others;
    private final AtomicBoolean closed = new AtomicBoolean();
    private @Nullable CertificateFiles encoded;

    private TrustedRoots(List<X509Certificate> roots, List<CRL> revoked) {
        this.roots = List.copyOf(roots);
        try {
            this.factory = TrustManagerFactory.getInstance("PKIX");
            factory.init(new CertPathTrustManagerParameters(parameters(roots, revoked)));
            this.anyVersion =
                    context(
                                    factory,
                                    ApplicationProtocolNames.HTTP_2,
                                    ApplicationProtocolNames.HTTP_1_1)
                            .build();
            this.http1 = context(factory, ApplicationProtocolNames.HTTP_1_1).build();
            this.others = context(factory).build();
        } catch (GeneralSecurityException | IOException e) {
            throw new EgressException("certificates of servers cannot be verified", e);
        }
    }

    /// The roots of this host.
    ///
    /// @throws EgressException if it has none
    public static TrustedRoots system() {
        return SYSTEM.stream()
                .filter(Files::isReadable)
                .findFirst()
                .map(TrustedRoots::in)
                .orElseThrow(() ->
                        new EgressException(
                                "no certificate authorities on this host: install"
                                        + " ca-certificates, or name a file of your own"));
    }

    /// The roots of a file, and no others.
    ///
    /// @param file PEM: certificates, and lists of revoked ones
    /// @throws EgressException if it cannot be read or holds no certificate
    public static TrustedRoots in(Path file) {
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw new IOException("longer than " + MAX_BYTES + " bytes");
            }
            List<X509Certificate> roots = new ArrayList<>();
            List<CRL> revoked = new ArrayList<>();
            CertificateFactory factory = CertificateFactory.getInstance("X.509");
            Matcher block = PEM.matcher(Files.readString(file, StandardCharsets.ISO_8859_1));
            while (block.find()) {
                var bytes =
                        new ByteArrayInputStream(
                                block.group().getBytes(StandardCharsets.ISO_8859_1));
                switch (block.group(1)) {
                    case "CERTIFICATE" ->
                            roots.add((X509Certificate) factory.generateCertificate(bytes));
                    case "X509 CRL" -> revoked.add(factory.generateCRL(bytes));
                    default -> throw new IOException("OpenSSL's TRUSTED CERTIFICATE is not read");
                }
            }
            if (roots.isEmpty()) {
                throw new IOException("there is no certificate in it");
            }
            return new TrustedRoots(roots, revoked);
        } catch (IOException | GeneralSecurityException e) {
            throw new EgressException("roots " + file + " cannot be used", e);
        }
    }

    /// All of them.
    List<X509Certificate> certificates() {
        return roots;
    }

    /// All of them, as files have them.
    synchronized CertificateFiles encoded() throws GeneralSecurityException, IOException {
        CertificateFiles known = encoded;
        if (known == null) {
            known = CertificateFiles.of(roots, "ca-");
            encoded = known;
        }
        return known;
    }

    /// For a connection that may speak HTTP/2 or HTTP/1.1.
    public SslContext forHttp() {
        return anyVersion;
    }

    /// For a connection that must speak HTTP/1.1.
    public SslContext forHttp1() {
        return http1;
    }

    /// For a connection that speaks anything but HTTP, so that no protocol is named (ALPN).
    public SslContext forOthers() {
        return others;
    }

    /// For one connection on which the server is shown a certificate of ours; whoever asks gives it
    /// up with [#release] when the connection has begun.
    ///
    /// @param key of the first certificate
    /// @param http1 whether HTTP/1.1 must be spoken
    /// @throws EgressException if the key cannot be used
    public SslContext showing(PrivateKey key, List<X509Certificate> chain, boolean http1) {
        SslContextBuilder builder =
                http1
                        ? context(factory, ApplicationProtocolNames.HTTP_1_1)
                        : context(
                                factory,
                                ApplicationProtocolNames.HTTP_2,
                                ApplicationProtocolNames.HTTP_1_1);
        try {
            return builder.keyManager(key, chain.toArray(X509Certificate[]::new)).build();
        } catch (IOException e) {
            throw new EgressException("the client certificate cannot be shown", e);
        }
    }

    /// Gives up what [#showing] has made. Connections that were begun go on.
    public static void release(SslContext own) {
        TlsProvider.release(own);
    }

    /// Name and version of what speaks TLS, for people.
    public static String speaker() {
        return TlsProvider.name();
    }

    /// Begins no connection any more. Idempotent.
    @Override
    public void close() {
        if (closed.getAndSet(true)) {
            return;
        }
        List.of(anyVersion, http1, others).forEach(TlsProvider::release);
    }

    private static PKIXBuilderParameters parameters(List<X509Certificate> roots, List<CRL> revoked)
            throws GeneralSecurityException {
        Set<TrustAnchor> anchors = new HashSet<>();
        roots.forEach(root -> anchors.add(new TrustAnchor(root, null)));
        PKIXBuilderParameters parameters =
                new PKIXBuilderParameters(anchors, new X509CertSelector());
        parameters.setRevocationEnabled(false);
        parameters.addCertPathChecker(new CertificateRules());
        if (!revoked.isEmpty()) {
            parameters.addCertStore(
                    CertStore.getInstance(
                            "Collection", new CollectionCertStoreParameters(revoked)));
            PKIXRevocationChecker checker =
                    (PKIXRevocationChecker)
                            CertPathBuilder.getInstance("PKIX").getRevocationChecker();
            checker.setOptions(
                    Set.of(
                            PKIXRevocationChecker.Option.PREFER_CRLS,
                            PKIXRevocationChecker.Option.NO_FALLBACK,
                            PKIXRevocationChecker.Option.SOFT_FAIL));
            parameters.addCertPathChecker(checker);
        }
        return parameters;
    }

    private static SslContextBuilder context(TrustManagerFactory trust, String... protocols) {
        return TlsProvider.spoken(
                SslContextBuilder.forClient()
                        .trustManager(trust)
                        .endpointIdentificationAlgorithm("HTTPS"),
                protocols);
    }
}
