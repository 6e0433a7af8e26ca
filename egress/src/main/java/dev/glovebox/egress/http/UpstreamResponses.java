package dev.glovebox.egress.http;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;

/// The last handler of an HTTP upstream: writes its responses to the client, pausing while the
/// client does not take them.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
public final class UpstreamResponses extends ChannelInboundHandlerAdapter {
    private static final int SWITCHING_PROTOCOLS = 101;

    /// Who waits for the responses.
    public interface Receiver {
        /// Whether the request was HEAD.
        boolean isHead();

        /// Whether the connection ends with this response.
        boolean isLast();

        /// The whole of a final response has been written.
        void answered();

        /// The upstream takes more.
        void pump();

        /// The upstream is gone.
        ///
        /// @param begun whether part of a response has been written
        void upstreamEnded(Channel upstream, boolean begun);
    }

    private final Channel client;
    private final Receiver receiver;
    private boolean begun;
    private boolean informational;

    /// @param client where responses are written
    /// @param receiver who waits for them
    public UpstreamResponses(Channel client, Receiver receiver) {
        this.client = client;
        this.receiver = receiver;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        HttpObject object = (HttpObject) message;
        if (object.decoderResult().isFailure()) {
            ReferenceCountUtil.release(message);
            ctx.close();
            return;
        }
        if (object instanceof HttpResponse response) {
            if (response.status().code() == SWITCHING_PROTOCOLS) {
                ReferenceCountUtil.release(message);
                ctx.close();
                return;
            }
            informational = response.status().code() < 200;
            begun |= !informational;
            client.write(HttpMessages.downstream(response, receiver.isHead(), receiver.isLast()));
            return;
        }
        boolean end = object instanceof LastHttpContent && !informational;
        client.write(message);
        if (end) {
            begun = false;
            client.flush();
            receiver.answered();
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        client.flush();
        ctx.channel().config().setAutoRead(client.isWritable());
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        receiver.pump();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        receiver.upstreamEnded(ctx.channel(), begun);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        ctx.close();
    }
}
