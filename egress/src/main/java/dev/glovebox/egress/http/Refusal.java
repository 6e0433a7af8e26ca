package dev.glovebox.egress.http;

import dev.glovebox.egress.wire.Reset;
import dev.glovebox.protocol.egress.Decision;
import dev.glovebox.protocol.egress.Destination;
import dev.glovebox.protocol.egress.EgressRule;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.util.ReferenceCountUtil;

/// Answers whatever HTTP request comes on a refused connection with the reason, and ends it.
///
/// Only on the ports of HTTP and HTTPS, where clients speak first and show the answer to somebody:
/// any other refused connection is reset. Nothing is dialled or looked up for it.
@ChannelHandler.Sharable
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
public final class Refusal extends ChannelInboundHandlerAdapter {
    /// Port of clear HTTP.
    public static final int HTTP_PORT = 80;

    /// Port of HTTP in TLS.
    public static final int HTTPS_PORT = 443;

    private final String text;

    /// @param decision why
    /// @param contact whom to ask
    public Refusal(Destination destination, Decision decision, String contact) {
        this.text =
                Pages.refused(
                        destination,
                        decision.rule().map(EgressRule::name),
                        decision.reason(),
                        contact);
    }

    /// Puts it behind a codec for HTTP/1.1.
    ///
    /// @param headerBytes of one request head
    public void install(ChannelPipeline pipeline, int headerBytes) {
        pipeline.addLast(
                new HttpCodecs.RequestReader(HttpCodecs.config(headerBytes)),
                new HttpCodecs.ResponseWriter(),
                this);
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        ctx.channel().config().setAutoRead(true);
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (message instanceof HttpRequest request) {
            Channel client = ctx.channel();
            boolean head = request.method().equals(HttpMethod.HEAD);
            HttpCodecs.ResponseWriter writer =
                    client.pipeline().get(HttpCodecs.ResponseWriter.class);
            if (writer != null) {
                writer.answering(head);
            }
            Pages.answer(client, request.decoderResult().isFailure() ? 400 : 403, text, request);
        }
        ReferenceCountUtil.release(message);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof ChannelInputShutdownEvent) {
            ctx.close();
        } else {
            ctx.fireUserEventTriggered(event);
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        Reset.send(ctx.channel());
    }
}
