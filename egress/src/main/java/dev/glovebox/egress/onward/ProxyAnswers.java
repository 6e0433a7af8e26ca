package dev.glovebox.egress.onward;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.socksx.v5.Socks5AuthMethod;
import io.netty.handler.codec.socksx.v5.Socks5CommandResponse;
import io.netty.handler.codec.socksx.v5.Socks5CommandStatus;
import io.netty.handler.codec.socksx.v5.Socks5InitialResponse;
import io.netty.handler.codec.socksx.v5.Socks5PasswordAuthResponse;
import io.netty.handler.codec.socksx.v5.Socks5PasswordAuthStatus;
import java.util.Optional;

/// Listens to what a proxy answers, between the codec and the handler that acts on it, and knows
/// what a refusal means. Of the proxy's words nothing is kept but a number.
final class ProxyAnswers extends ChannelInboundHandlerAdapter {
    private static final String WHO = "the worker's upstream proxy ";

    static final Failure UNREACHED = Failure.of(WHO + "cannot be reached");
    static final Failure NO_TLS =
            Failure.of(WHO + "does not speak TLS with a certificate that is accepted");
    static final Failure NO_PASSWORD = Failure.of("the password for " + WHO + "cannot be had");
    private static final Failure SILENT = Failure.of(WHO + "did not answer in time");

    private Optional<Failure> refusal = Optional.empty();
    private boolean heard;

    /// Why there is no tunnel.
    Failure failure() {
        return refusal.orElse(heard ? Failure.of(WHO + "did not open a way") : SILENT);
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        heard = true;
        switch (message) {
            case HttpResponse response -> http(response.status().code());
            case Socks5InitialResponse response -> method(response.authMethod());
            case Socks5PasswordAuthResponse response -> login(response.status());
            case Socks5CommandResponse response -> command(response.status());
            default -> {}
        }
        ctx.fireChannelRead(message);
    }

    private void http(int status) {
        if (status == 401 || status == 407) {
            refused("refused the worker's login", "status " + status);
        } else if (status >= 500) {
            refused("could not reach it", "status " + status);
        } else if (status != 200) {
            refused("did not let it through", "status " + status);
        }
    }

    private void method(Socks5AuthMethod method) {
        if (!method.equals(Socks5AuthMethod.NO_AUTH) && !method.equals(Socks5AuthMethod.PASSWORD)) {
            refused("refused the worker's login", "method " + (method.byteValue() & 0xff));
        }
    }

    private void login(Socks5PasswordAuthStatus status) {
        if (!status.isSuccess()) {
            refused("refused the worker's login", "status " + (status.byteValue() & 0xff));
        }
    }

    private void command(Socks5CommandStatus status) {
        String code = "reply " + (status.byteValue() & 0xff);
        if (status.isSuccess()) {
            return;
        }
        if (status.equals(Socks5CommandStatus.NETWORK_UNREACHABLE)
                || status.equals(Socks5CommandStatus.HOST_UNREACHABLE)
                || status.equals(Socks5CommandStatus.CONNECTION_REFUSED)
                || status.equals(Socks5CommandStatus.TTL_EXPIRED)) {
            refused("could not reach it", code);
        } else {
            refused("did not let it through", code);
        }
    }

    private void refused(String what, String number) {
        refusal = Optional.of(new Failure(WHO + what, WHO + what + " (" + number + ")"));
    }
}
