package dev.glovebox.egress.tls;

import dev.glovebox.egress.onward.Tunnel;
import io.netty.channel.Channel;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeTimeoutException;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateException;
import java.time.Duration;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The door as client of a TLS server: nobody gets the connection before the server's certificate
/// has been verified and names the host.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
public final class UpstreamTls {
    private UpstreamTls() {}

    /// Begins TLS on a connection, behind whatever was said in the clear before. One of the two is
    /// called; the channel is closed before the second.
    ///
    /// @param context verifies the certificate
    /// @param host whom the certificate must name, wherever the connection leads
    /// @param port that was asked for
    /// @param ready is told whether HTTP/2 is spoken
    /// @param failed is told why, in words for the one who asked
    public static void begin(
            Channel channel,
            SslContext context,
            String host,
            int port,
            Duration timeout,
            Consumer<Boolean> ready,
            Consumer<String> failed) {
        SslHandler tls = context.newHandler(channel.alloc(), host, port);
        tls.setHandshakeTimeoutMillis(timeout.toMillis());
        tls.handshakeFuture()
                .addListener(future -> {
                    if (future.isSuccess()) {
                        ready.accept(
                                ApplicationProtocolNames.HTTP_2.equals(tls.applicationProtocol()));
                    } else {
                        channel.close();
                        failed.accept(reason(future.cause()));
                    }
                });
        Tunnel.addFirst(channel.pipeline(), tls);
    }

    /// The server's name for its fault is left out: it could say anything.
    private static String reason(@Nullable Throwable cause) {
        if (cause instanceof SslHandshakeTimeoutException) {
            return "the server did not begin TLS in time";
        }
        for (Throwable each = cause; each != null; each = each.getCause()) {
            boolean last = each.getCause() == null;
            if (each instanceof CertPathValidatorException
                    || each instanceof CertPathBuilderException
                    || (each instanceof CertificateException && last)) {
                String text = String.valueOf(each.getMessage());
                return last || each instanceof CertPathValidatorException
                        ? "the server's certificate is not accepted: " + text
                        : "the server's certificate is not accepted";
            }
        }
        return "TLS with the server did not come about";
    }
}
