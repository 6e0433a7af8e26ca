package dev.glovebox.egress.tls;

import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.SupportedCipherSuiteFilter;
import io.netty.util.ReferenceCountUtil;
import java.util.List;

/// What speaks TLS, on either side: BoringSSL where its library can be loaded, otherwise the JDK
/// (decision 0027). Whom to believe is decided by the JDK's PKIX in any case.
///
/// A context of BoringSSL is memory outside the heap that nothing collects, so whoever makes one
/// gives it up with [#release]; connections that were begun with it hold it as long as they need
/// it.
final class TlsProvider {
    private static final SslProvider PROVIDER =
            OpenSsl.isAvailable() ? SslProvider.OPENSSL_REFCNT : SslProvider.JDK;

    /// RFC 8996 forbids those before.
    private static final List<String> VERSIONS = List.of("TLSv1.3", "TLSv1.2");

    /// With forward secrecy, the last four for servers that know no better (RFC 9325 §4.2).
    private static final List<String> CIPHERS =
            List.of(
                    "TLS_AES_128_GCM_SHA256",
                    "TLS_AES_256_GCM_SHA384",
                    "TLS_CHACHA20_POLY1305_SHA256",
                    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
                    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
                    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
                    "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
                    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
                    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
                    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
                    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
                    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
                    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA");

    private TlsProvider() {}

    /// Sets what is the same for both sides.
    ///
    /// @param names of protocols to agree on (ALPN), the best first; none for anything but HTTP
    static SslContextBuilder spoken(SslContextBuilder builder, String... names) {
        return builder.sslProvider(PROVIDER)
                .protocols(VERSIONS)
                .ciphers(CIPHERS, SupportedCipherSuiteFilter.INSTANCE)
                .applicationProtocolConfig(
                        names.length == 0
                                ? ApplicationProtocolConfig.DISABLED
                                : new ApplicationProtocolConfig(
                                        Protocol.ALPN,
                                        SelectorFailureBehavior.NO_ADVERTISE,
                                        SelectedListenerFailureBehavior.ACCEPT,
                                        names));
    }

    /// Gives up a context.
    static void release(SslContext context) {
        ReferenceCountUtil.release(context);
    }

    /// Its name, for people.
    static String name() {
        return PROVIDER == SslProvider.JDK ? "JDK" : OpenSsl.versionString();
    }
}
