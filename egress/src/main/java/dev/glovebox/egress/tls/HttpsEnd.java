package dev.glovebox.egress.tls;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2MultiplexHandler;
import io.netty.handler.codec.http2.Http2StreamFrameToHttpObjectCodec;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.ApplicationProtocolNegotiationHandler;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.ReferenceCountUtil;
import java.util.function.Consumer;
import java.util.function.Function;
import javax.net.ssl.SSLException;

/// The door as TLS server: ends a client's TLS, then puts the codec of what was agreed on (ALPN)
/// and a handler of requests behind it. A client that agrees on nothing speaks HTTP/1.1.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
public final class HttpsEnd extends ApplicationProtocolNegotiationHandler {
    private final Handlers handlers;
    private final Http2FrameCodecBuilder http2;

    private HttpsEnd(Handlers handlers, Http2FrameCodecBuilder http2) {
        super(ApplicationProtocolNames.HTTP_1_1);
        this.handlers = handlers;
        this.http2 = http2;
    }

    /// What comes behind TLS.
    ///
    /// @param http1 puts codec and handler for HTTP/1.1 into the connection's pipeline
    /// @param stream the handler for a stream of HTTP/2, where requests and responses are the same
    ///   objects as over HTTP/1.1
    /// @param failed is told if TLS does not come about
    public record Handlers(
            Consumer<ChannelPipeline> http1,
            Function<Channel, ChannelHandler> stream,
            Runnable failed) {}

    /// Puts all of it at the end of a pipeline that has not been given a byte yet.
    ///
    /// @param tls answers as the host
    /// @param http2 makes the codec for HTTP/2
    /// @param millis longest time for the handshake
    public static void install(
            ChannelPipeline pipeline,
            SslHandler tls,
            Handlers handlers,
            Http2FrameCodecBuilder http2,
            long millis) {
        tls.setHandshakeTimeoutMillis(millis);
        pipeline.addLast(tls, new HttpsEnd(handlers, http2));
    }

    @Override
    protected void configurePipeline(ChannelHandlerContext ctx, String protocol) {
        ChannelPipeline pipeline = ctx.pipeline();
        if (protocol.equals(ApplicationProtocolNames.HTTP_2)) {
            pipeline.addLast(
                    http2.build(),
                    new ResetLimit(System::nanoTime),
                    new Http2MultiplexHandler(new Streams()),
                    new Connection());
            ctx.channel().config().setAutoRead(true);
        } else {
            handlers.http1().accept(pipeline);
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (cause instanceof DecoderException && cause.getCause() instanceof SSLException) {
            handlers.failed().run();
        }
        ctx.close();
    }

    private final class Streams extends ChannelInitializer<Channel> {
        @Override
        protected void initChannel(Channel stream) {
            stream.config().setAutoRead(false);
            stream.pipeline()
                    .addLast(
                            new Http2StreamFrameToHttpObjectCodec(true),
                            handlers.stream().apply(stream));
        }
    }

    /// What concerns an HTTP/2 connection, not a stream.
    private static final class Connection extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object frame) {
            ReferenceCountUtil.release(frame);
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
            ctx.close();
        }
    }
}
