package dev.glovebox.egress.tls;

import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http2.DefaultHttp2GoAwayFrame;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2ResetFrame;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/// Ends an HTTP/2 connection whose client makes the door reset one stream after another
/// (CVE-2025-55163). Lies between Netty's codec and its streams.
///
/// Netty's own limit is in the codec and does not count `CANCEL`, with which a stream is reset that
/// its handler closes, and whether the handler or the codec is first to answer a client's fault is
/// a matter of chance. A stream that is reset after a whole answer (`NO_ERROR`) is nobody's fault.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
final class ResetLimit extends ChannelOutboundHandlerAdapter {
    /// As many as Netty allows of those it counts.
    static final int MOST = 200;

    private static final long WINDOW_NANOS = TimeUnit.SECONDS.toNanos(30);

    private final LongSupplier clock;
    private long began;
    private int count;

    /// @param clock such as [System#nanoTime]
    ResetLimit(LongSupplier clock) {
        this.clock = clock;
        this.began = clock.getAsLong();
    }

    @Override
    public void write(ChannelHandlerContext ctx, Object frame, ChannelPromise promise) {
        ctx.write(frame, promise);
        if (frame instanceof Http2ResetFrame reset
                && reset.errorCode() != Http2Error.NO_ERROR.code()
                && isOneTooMany()) {
            ctx.writeAndFlush(new DefaultHttp2GoAwayFrame(Http2Error.ENHANCE_YOUR_CALM))
                    .addListener(ChannelFutureListener.CLOSE);
        }
    }

    /// True once in a window, so that there is one last word.
    private boolean isOneTooMany() {
        long now = clock.getAsLong();
        if (now - began >= WINDOW_NANOS) {
            began = now;
            count = 0;
        }
        count++;
        return count == MOST + 1;
    }
}
