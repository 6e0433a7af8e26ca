package dev.glovebox.egress.http;

import dev.glovebox.protocol.Secret;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.util.Optional;

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

        /// Whether the client speaks HTTP/1.0, so that it knows no interim responses.
        boolean isOld();

        /// Whether the request asked to go on as a WebSocket.
        boolean maySwitch();

        /// The server goes on as a WebSocket; what follows is no HTTP.
        void switched();

        /// The whole of a final response has been written.
        ///
        /// @param keep whether the upstream can take another request
        void answered(boolean keep);

        /// The upstream takes more.
        void pump();

        /// The response repeats the credential; nothing more of it is written.
        ///
        /// @param begun whether part of it has been written
        void echoed(boolean begun);

        /// The upstream is gone.
        ///
        /// @param begun whether part of a response has been written
        void upstreamEnded(Channel upstream, boolean begun);
    }

    private final Channel client;
    private final Receiver receiver;
    private final Optional<Secret> secret;
    private Optional<EchoGuard> guard = Optional.empty();
    private boolean begun;
    private boolean informational;
    private boolean switching;
    private boolean last;
    private boolean echoed;

    /// @param client where responses are written
    /// @param receiver who waits for them
    /// @param secret what must not come back
    public UpstreamResponses(Channel client, Receiver receiver, Optional<Secret> secret) {
        this.client = client;
        this.receiver = receiver;
        this.secret = secret;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        HttpObject object = (HttpObject) message;
        if (echoed) {
            ReferenceCountUtil.release(message);
            return;
        }
        if (object.decoderResult().isFailure()) {
            ReferenceCountUtil.release(message);
            ctx.close();
            return;
        }
        if (object instanceof HttpResponse response) {
            head(ctx, response);
        }
        if (object instanceof HttpContent content && !echoed) {
            content(ctx, content);
        }
    }

    private void head(ChannelHandlerContext ctx, HttpResponse response) {
        switching = response.status().code() == SWITCHING_PROTOCOLS;
        if (switching && !receiver.maySwitch()) {
            echoed = true;
            ctx.close();
            return;
        }
        informational = response.status().code() < 200;
        guard = secret.flatMap(EchoGuard::against);
        if (guard.filter(each -> each.isIn(response.headers())).isPresent()) {
            echoed(ctx);
            return;
        }
        begun |= !informational || switching;
        last = !informational && !HttpUtil.isKeepAlive(response);
        HttpResponse sent =
                HttpMessages.downstream(
                        response, receiver.isHead(), receiver.isLast(), receiver.isOld());
        if (!informational) {
            client.write(sent);
        } else if (switching || !receiver.isOld()) {
            client.write(HttpMessages.interim(sent));
        }
    }

    private void content(ChannelHandlerContext ctx, HttpContent content) {
        boolean end = content instanceof LastHttpContent;
        if (informational) {
            content.release();
            if (end && switching) {
                receiver.switched();
            }
            return;
        }
        if (guard.isPresent()) {
            if (content instanceof LastHttpContent with
                    && guard.get().isIn(with.trailingHeaders())) {
                content.release();
                echoed(ctx);
                return;
            }
            Optional<ByteBuf> passed = guard.get().pass(content.content(), end);
            if (passed.isEmpty()) {
                echoed(ctx);
                return;
            }
            client.write(
                    content instanceof LastHttpContent with
                            ? HttpMessages.trailers(with.replace(passed.get()), Optional.empty())
                            : new DefaultHttpContent(passed.get()));
        } else {
            client.write(
                    content instanceof LastHttpContent with
                            ? HttpMessages.trailers(with, Optional.empty())
                            : content);
        }
        if (end) {
            begun = false;
            client.flush();
            receiver.answered(!last);
        }
    }

    private void echoed(ChannelHandlerContext ctx) {
        echoed = true;
        receiver.echoed(begun);
        ctx.close();
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
