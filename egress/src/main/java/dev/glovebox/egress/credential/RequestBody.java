package dev.glovebox.egress.credential;

import dev.glovebox.egress.http.HttpMessages;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.DefaultLastHttpContent;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What happens to the body of one request on the upstream.
///
/// A [Work.Whole] sees the body as one piece before anything is sent, so it may change the head;
/// such a body is 1 MiB at most. A [Work.Stream] sees it piece by piece. When something is wrong a
/// [HttpMessages.Fault] goes up the pipeline, whose end closes it, and nothing more is sent.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
final class RequestBody extends ChannelDuplexHandler {
    /// Longest body that is held.
    static final int MAX_HELD = 1024 * 1024;

    private final Work work;
    private @Nullable HttpRequest head;
    private @Nullable ByteBuf held;
    private boolean refused;

    /// What is done to a body.
    sealed interface Work {
        /// Nothing.
        record Nothing() implements Work {}

        /// Something that needs all of it; gives the body to send, and owns the one it is given.
        @FunctionalInterface
        non-sealed interface Whole extends Work {
            ByteBuf finish(HttpRequest head, ByteBuf body);
        }

        /// Something that is done on the way.
        ///
        /// @param fault what is wrong if the placeholder stands there and is not replaced
        record Stream(Replacement replacement, Optional<HttpMessages.Fault> fault)
                implements Work {}
    }

    RequestBody(Work work) {
        this.work = work;
    }

    @Override
    public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
        if (refused) {
            ReferenceCountUtil.release(message);
            promise.trySuccess();
            return;
        }
        switch (work) {
            case Work.Nothing() -> ctx.write(message, promise);
            case Work.Whole whole -> hold(ctx, message, promise, whole);
            case Work.Stream(Replacement replacement, Optional<HttpMessages.Fault> fault) ->
                    pass(ctx, message, promise, replacement, fault);
        }
    }

    private void refuse(ChannelHandlerContext ctx, HttpMessages.Fault fault) {
        refused = true;
        drop();
        ctx.fireUserEventTriggered(fault);
    }

    private void hold(
            ChannelHandlerContext ctx, Object message, ChannelPromise promise, Work.Whole whole) {
        promise.trySuccess();
        if (message instanceof HttpRequest request) {
            head = request;
            held = ctx.alloc().buffer();
            if (HttpUtil.is100ContinueExpected(request)) {
                request.headers().remove(HttpHeaderNames.EXPECT);
                ctx.fireChannelRead(
                        new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.CONTINUE));
                ctx.fireChannelRead(LastHttpContent.EMPTY_LAST_CONTENT);
                ctx.fireChannelReadComplete();
            }
        }
        HttpRequest request = head;
        ByteBuf body = held;
        if (!(message instanceof HttpContent content) || request == null || body == null) {
            return;
        }
        if (body.readableBytes() + content.content().readableBytes() > MAX_HELD) {
            content.release();
            refuse(
                    ctx,
                    new HttpMessages.Fault(
                            413,
                            "its body is longer than the 1 MiB that can be worked on for its"
                                    + " credential"));
            return;
        }
        body.writeBytes(content.content());
        content.release();
        if (content instanceof LastHttpContent) {
            held = null;
            boolean framed =
                    HttpUtil.isContentLengthSet(request)
                            || HttpUtil.isTransferEncodingChunked(request);
            ByteBuf finished = whole.finish(request, body);
            if (framed) {
                request.headers().remove(HttpHeaderNames.TRANSFER_ENCODING);
                request.headers().set(HttpHeaderNames.CONTENT_LENGTH, finished.readableBytes());
            }
            ctx.write(request);
            ctx.write(new DefaultLastHttpContent(finished));
        }
    }

    private void pass(
            ChannelHandlerContext ctx,
            Object message,
            ChannelPromise promise,
            Replacement replacement,
            Optional<HttpMessages.Fault> fault) {
        if (!(message instanceof HttpContent content)) {
            ctx.write(message, promise);
            return;
        }
        boolean end = content instanceof LastHttpContent;
        ByteBuf passed = replacement.pass(content.content(), end);
        if (replacement.hasFound() && fault.isPresent()) {
            passed.release();
            promise.trySuccess();
            refuse(ctx, fault.get());
            return;
        }
        ctx.write(
                content instanceof LastHttpContent last
                        ? last.replace(passed)
                        : new DefaultHttpContent(passed),
                promise);
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (refused) {
            ReferenceCountUtil.release(message);
        } else {
            ctx.fireChannelRead(message);
        }
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        drop();
    }

    private void drop() {
        if (held != null) {
            held.release();
            held = null;
        }
    }
}
