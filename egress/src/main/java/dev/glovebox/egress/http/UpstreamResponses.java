package dev.glovebox.egress.http;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// The last handler of an HTTP upstream: writes its responses to the client, pausing while the
/// client does not take them.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
public final class UpstreamResponses extends ChannelInboundHandlerAdapter {
    private static final int SWITCHING_PROTOCOLS = 101;
    private static final long PAUSE_MILLIS = 50;

    /// Small pieces are written together; this much goes on at once.
    private static final int AT_ONCE = 64 * 1024;

    private static final String REPEATED = "the answer repeated the credential and was withheld";

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
        /// @param written done when the end of it has left the client's channel
        void answered(boolean keep, ChannelFuture written);

        /// The upstream takes more.
        void pump();

        /// The response cannot be shown, because it may repeat the credential; nothing more of it
        /// is written.
        ///
        /// @param begun whether part of it has been written
        void withheld(String reason, boolean begun);

        /// The response repeated the credential, which was covered.
        void covered();

        /// The request must not go on, as was found on the way.
        ///
        /// @param begun whether part of a response has been written
        void refused(HttpMessages.Fault fault, boolean begun);

        /// The upstream is gone.
        ///
        /// @param begun whether part of a response has been written
        void upstreamEnded(Channel upstream, boolean begun);
    }

    private final Channel client;
    private final Receiver receiver;
    private final Optional<EchoGuard.Forms> echoes;
    private Optional<EchoGuard> guard = Optional.empty();
    private boolean begun;
    private boolean informational;
    private boolean switching;
    private boolean bare;
    private boolean last;
    private boolean withheld;
    private @Nullable Future<?> pause;
    private int unflushed;

    /// @param client where responses are written
    /// @param receiver who waits for them
    /// @param echoes what must not come back
    public UpstreamResponses(Channel client, Receiver receiver, Optional<EchoGuard.Forms> echoes) {
        this.client = client;
        this.receiver = receiver;
        this.echoes = echoes;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        noPause();
        HttpObject object = (HttpObject) message;
        if (withheld) {
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
        if (object instanceof HttpContent content && !withheld) {
            content(ctx, content);
        }
    }

    private void head(ChannelHandlerContext ctx, HttpResponse response) {
        switching = response.status().code() == SWITCHING_PROTOCOLS;
        if (switching && !receiver.maySwitch()) {
            withheld = true;
            ctx.close();
            return;
        }
        informational = response.status().code() < 200;
        guard = echoes.map(EchoGuard.Forms::guard);
        Optional<String> hidden =
                isFramed(response)
                        ? guard.flatMap(each -> hidden(each, response))
                        : Optional.of("the answer is framed in a way that nobody asked for");
        if (hidden.isPresent()) {
            withhold(ctx, hidden.get());
            return;
        }
        begun |= !informational || switching;
        last = !informational && !HttpUtil.isKeepAlive(response);
        HttpResponse sent =
                HttpMessages.downstream(
                        response, receiver.isHead(), receiver.isLast(), receiver.isOld());
        bare = isBare(response);
        if (!informational) {
            client.write(bare ? HttpMessages.whole(sent) : sent);
        } else if (switching || !receiver.isOld()) {
            client.write(HttpMessages.interim(sent));
        }
    }

    /// Whether the response is one head that ends its stream of HTTP/2. It must stay that: gRPC
    /// says so that a call has failed.
    private static boolean isBare(HttpResponse response) {
        return response instanceof FullHttpResponse whole
                && !whole.content().isReadable()
                && whole.trailingHeaders().isEmpty();
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
        ChannelFuture written = client.newSucceededFuture();
        if (bare) {
            content.release();
            guard.filter(EchoGuard::hasFound).ifPresent(_ -> receiver.covered());
        } else if (guard.isPresent()) {
            EchoGuard looking = guard.get();
            if (content instanceof LastHttpContent with && !looking.cover(with.trailingHeaders())) {
                content.release();
                withhold(ctx, REPEATED);
                return;
            }
            ByteBuf passed = looking.pass(content.content(), end);
            written =
                    write(
                            ctx,
                            passed.readableBytes(),
                            content instanceof LastHttpContent with
                                    ? HttpMessages.trailers(with.replace(passed), Optional.empty())
                                    : new DefaultHttpContent(passed));
            if (end && looking.hasFound()) {
                receiver.covered();
            }
        } else {
            written =
                    write(
                            ctx,
                            content.content().readableBytes(),
                            content instanceof LastHttpContent with
                                    ? HttpMessages.trailers(with, Optional.empty())
                                    : content);
        }
        if (end) {
            begun = false;
            client.flush();
            receiver.answered(!last, written);
        }
    }

    /// No client asks for transfer codings (RFC 9110 §10.1.4), and what is in one is not searched.
    private static boolean isFramed(HttpResponse response) {
        List<String> codings = response.headers().getAll(HttpHeaderNames.TRANSFER_ENCODING);
        return codings.isEmpty()
                || (codings.size() == 1
                        && HttpHeaderValues.CHUNKED.contentEqualsIgnoreCase(codings.getFirst()));
    }

    private ChannelFuture write(ChannelHandlerContext ctx, int bytes, HttpContent content) {
        ChannelFuture written = client.write(content);
        unflushed += bytes;
        if (unflushed >= AT_ONCE) {
            flush(ctx);
        }
        return written;
    }

    private void flush(ChannelHandlerContext ctx) {
        unflushed = 0;
        client.flush();
        if (!client.isWritable()) {
            ctx.channel().config().setAutoRead(false);
        }
    }

    /// Covers secrets in the head. The words beside the status are the server's own, and go.
    ///
    /// @return why the response cannot be looked through
    private static Optional<String> hidden(EchoGuard guard, HttpResponse response) {
        if (!response.headers().getAll(HttpHeaderNames.CONTENT_ENCODING).stream()
                .allMatch(HttpHeaderValues.IDENTITY::contentEqualsIgnoreCase)) {
            return Optional.of("the answer is packed, and cannot be searched for the credential");
        }
        response.setStatus(HttpResponseStatus.valueOf(response.status().code()));
        return guard.cover(response.headers()) ? Optional.empty() : Optional.of(REPEATED);
    }

    private void withhold(ChannelHandlerContext ctx, String reason) {
        withheld = true;
        receiver.withheld(reason, begun);
        ctx.close();
    }

    /// A server that has ended says no more; nobody stands here any more when its answer was whole.
    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof HttpMessages.Fault fault) {
            withheld = true;
            receiver.refused(fault, begun);
            ctx.close();
        } else if (event instanceof ChannelInputShutdownEvent) {
            ctx.close();
        } else {
            ctx.fireUserEventTriggered(event);
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        flush(ctx);
        if (pause == null && guard.filter(EchoGuard::holdsLittle).isPresent()) {
            pause = ctx.executor().schedule(this::release, PAUSE_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    /// The server has said something and waits.
    private void release() {
        pause = null;
        guard.ifPresent(each -> client.writeAndFlush(new DefaultHttpContent(each.release())));
    }

    private void noPause() {
        if (pause != null) {
            pause.cancel(false);
            pause = null;
        }
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        noPause();
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
