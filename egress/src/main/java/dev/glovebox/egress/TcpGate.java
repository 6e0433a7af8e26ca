package dev.glovebox.egress;

import dev.glovebox.egress.wire.Relay;
import dev.glovebox.egress.wire.Reset;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;

/// A rule of protocol `tcp`: any bytes pass, in both directions, so nothing is waited for.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
final class TcpGate extends ChannelInboundHandlerAdapter {
    private final Flow flow;

    TcpGate(Flow flow) {
        this.flow = flow;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        flow.door()
                .dialler()
                .dial(
                        flow,
                        upstream -> Relay.join(flow.client(), upstream, this),
                        reason -> Reset.send(flow.client()));
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        Reset.send(ctx.channel());
    }
}
