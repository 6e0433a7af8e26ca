package dev.glovebox.egress.http;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.http2.DefaultHttp2WindowUpdateFrame;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2GoAwayFrame;
import io.netty.handler.codec.http2.Http2MultiplexHandler;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2StreamChannel;
import io.netty.handler.codec.http2.Http2StreamChannelBootstrap;
import io.netty.handler.codec.http2.Http2StreamFrameToHttpObjectCodec;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// An HTTP/2 connection to a server. Each request has a stream of its own; when the server takes no
/// more at a time, the next waits in the codec. Closes some time after its last stream.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
final class Multiplexed {
    private static final Duration KEPT = Duration.ofSeconds(20);

    /// Bytes that a server may send of one answer, and of all, before the client takes them.
    private static final int WINDOW = 1 << 18;

    private static final int ALL_WINDOWS = 1 << 20;

    private final Channel channel;
    private int streams;
    private boolean draining;

    private Multiplexed(Channel channel) {
        this.channel = channel;
    }

    /// Begins HTTP/2 on a connection.
    ///
    /// @param headerBytes of one response head
    static Multiplexed over(Channel channel, int headerBytes) {
        Multiplexed made = new Multiplexed(channel);
        channel.pipeline()
                .addLast(
                        Http2FrameCodecBuilder.forClient()
                                .initialSettings(
                                        Http2Settings.defaultSettings()
                                                .pushEnabled(false)
                                                .initialWindowSize(WINDOW)
                                                .maxHeaderListSize(headerBytes))
                                .encoderEnforceMaxConcurrentStreams(true)
                                .build(),
                        new Http2MultiplexHandler(new ChannelInboundHandlerAdapter()),
                        made.new Connection());
        channel.config().setAutoRead(true);
        channel.writeAndFlush(new DefaultHttp2WindowUpdateFrame(ALL_WINDOWS));
        return made;
    }

    /// Whether another request may be given to it.
    boolean takesMore() {
        return !draining && channel.isActive();
    }

    /// Gives no more requests to it; it closes with its last.
    void drain() {
        draining = true;
        if (streams == 0) {
            channel.close();
        }
    }

    /// Opens a stream. One of the two is called.
    void stream(Consumer<Channel> ready, Runnable failed) {
        streams++;
        Future<Http2StreamChannel> opening =
                new Http2StreamChannelBootstrap(channel)
                        .handler(new Http2StreamFrameToHttpObjectCodec(false))
                        .open();
        opening.addListener(_ -> {
            if (opening.isSuccess()) {
                opening.getNow().closeFuture().addListener(_ -> ended());
                ready.accept(opening.getNow());
            } else {
                ended();
                failed.run();
            }
        });
    }

    private void ended() {
        streams--;
        if (streams == 0 && draining) {
            channel.close();
        } else if (streams == 0) {
            channel.eventLoop()
                    .schedule(this::closeIfUnused, KEPT.toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    private void closeIfUnused() {
        if (streams == 0) {
            channel.close();
        }
    }

    /// What concerns the connection, not a stream.
    private final class Connection extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object frame) {
            if (frame instanceof Http2GoAwayFrame) {
                drain();
            }
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
