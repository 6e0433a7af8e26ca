package dev.glovebox.egress.http;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Connections to servers that nobody uses for the moment, of one door and on one event loop.
///
/// The one that was used last is given first, so that those a burst has left behind go away. When
/// there are too many, the one that has waited longest is closed, as is each that has waited for 20
/// s. A server that closes one, or says something unasked, ends it.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
final class IdleConnections {
    /// How long an unused connection is kept.
    private static final Duration KEPT = Duration.ofSeconds(20);

    private final EventLoop loop;
    private final int capacity;
    private final Map<Upstreams.Key, Deque<Idle>> byKey = new HashMap<>();

    /// All of them, the one that has waited longest first.
    private final Set<Idle> all = new LinkedHashSet<>();

    private @Nullable Future<?> sweep;

    /// @param capacity how many are kept
    IdleConnections(EventLoop loop, int capacity) {
        this.loop = loop;
        this.capacity = capacity;
    }

    /// A connection for these requests, which has a place again; nothing if there is none, or no
    /// place.
    Optional<Seat> take(Upstreams.Key key) {
        Deque<Idle> kept = byKey.get(key);
        while (kept != null && !kept.isEmpty()) {
            Idle last = kept.peekLast();
            forget(last);
            if (last.channel().isActive()) {
                last.channel().pipeline().remove(last);
                Optional<Seat> seated = last.seat.taken();
                if (seated.isEmpty()) {
                    last.channel().close();
                }
                return seated;
            }
        }
        return Optional.empty();
    }

    /// Keeps a connection for later requests of the same kind, without its place.
    void keep(Upstreams.Key key, Seat seat) {
        seat.leave();
        Iterator<Idle> longest = all.iterator();
        if (all.size() >= capacity && longest.hasNext()) {
            close(longest.next());
        }
        Idle idle = new Idle(key, seat, loop.ticker().nanoTime());
        byKey.computeIfAbsent(key, _ -> new ArrayDeque<>()).addLast(idle);
        all.add(idle);
        idle.channel().pipeline().addLast(idle);
        idle.channel().config().setAutoRead(true);
        if (sweep == null) {
            sweepIn(KEPT.toNanos());
        }
    }

    /// Closes all.
    void clear() {
        List.copyOf(all).forEach(this::close);
    }

    private void sweepIn(long nanos) {
        sweep = loop.schedule(this::sweep, nanos, TimeUnit.NANOSECONDS);
    }

    private void sweep() {
        sweep = null;
        long now = loop.ticker().nanoTime();
        Iterator<Idle> longest = all.iterator();
        while (longest.hasNext()) {
            Idle each = longest.next();
            long left = KEPT.toNanos() - (now - each.since);
            if (left > 0) {
                sweepIn(left);
                return;
            }
            close(each);
            longest = all.iterator();
        }
    }

    private void close(Idle idle) {
        forget(idle);
        idle.channel().close();
    }

    private void forget(Idle idle) {
        all.remove(idle);
        Deque<Idle> kept = byKey.get(idle.key);
        if (kept != null) {
            kept.removeLastOccurrence(idle);
            if (kept.isEmpty()) {
                byKey.remove(idle.key);
            }
        }
    }

    /// A connection that waits, and the handler at its end meanwhile: nobody expects anything from
    /// it.
    private final class Idle extends ChannelInboundHandlerAdapter {
        private final Upstreams.Key key;
        private final Seat seat;
        private final long since;

        Idle(Upstreams.Key key, Seat seat, long since) {
            this.key = key;
            this.seat = seat;
            this.since = since;
        }

        Channel channel() {
            return seat.channel();
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ReferenceCountUtil.release(message);
            close(this);
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            close(this);
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            forget(this);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            close(this);
        }
    }
}
