package dev.glovebox.egress.wire;

import io.netty.channel.Channel;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import java.time.Duration;
import java.util.function.Consumer;

/// TLS towards a server that was dialled for a wire.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
public final class UpstreamTls {
    private UpstreamTls() {}

    /// Begins TLS behind whatever was said in the clear before.
    ///
    /// @param context verifies the certificate against the host
    /// @param failed is told the reason after the channel was closed
    public static void begin(
            Channel upstream,
            SslContext context,
            String host,
            int port,
            Duration patience,
            Runnable done,
            Consumer<String> failed) {
        SslHandler tls = context.newHandler(upstream.alloc(), host, port);
        tls.setHandshakeTimeoutMillis(patience.toMillis());
        tls.handshakeFuture()
                .addListener(future -> {
                    if (future.isSuccess()) {
                        done.run();
                    } else {
                        upstream.close();
                        failed.accept("the server's certificate cannot be verified, or TLS failed");
                    }
                });
        upstream.pipeline().addFirst(tls);
    }
}
