package dev.glovebox.egress.http;

import dev.glovebox.egress.tls.TrustedRoots;
import dev.glovebox.egress.tls.UpstreamTls;
import dev.glovebox.protocol.egress.Destination;
import dev.glovebox.protocol.egress.EgressRule;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.ssl.SslContext;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// Connections of one door to HTTP servers, on one event loop, kept for a while for the next
/// request.
///
/// A connection serves requests of one [Key] only, so what a rule allows or adds never meets a
/// connection of another. Over HTTP/1.1 it serves one request at a time, over HTTP/2 as many as the
/// server takes. A server in TLS is verified before anybody gets the connection, so no byte of a
/// request can reach one that is not who it should be. Everything runs on the one event loop.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
public final class Upstreams {
    /// How long an unused connection is kept.
    private static final Duration KEPT = Duration.ofSeconds(20);

    private static final int KEPT_OF_ONE_KEY = 16;

    private final TrustedRoots roots;
    private final Semaphore room;
    private final int headerBytes;
    private final Duration handshake;
    private final Map<Key, Deque<Idle>> idle = new HashMap<>();
    private final Map<Key, Multiplexed> shared = new HashMap<>();
    private final Map<Waiting, List<Asker>> waiting = new HashMap<>();
    private int generation;

    /// @param roots whom to believe
    /// @param room for connections of the door, on all event loops
    /// @param headerBytes of one response head
    /// @param handshake longest time for TLS
    public Upstreams(TrustedRoots roots, Semaphore room, int headerBytes, Duration handshake) {
        this.roots = roots;
        this.room = room;
        this.headerBytes = headerBytes;
        this.handshake = handshake;
    }

    /// What connections may serve each other's requests.
    ///
    /// @param destination what the client dialled
    /// @param rule that allows the request
    /// @param credential that the rule adds, and its value
    /// @param how what is spoken
    public record Key(
            Destination destination, EgressRule rule, Optional<Injection> credential, How how) {}

    /// What is spoken to a server.
    public enum How {
        /// HTTP/1.1 in the clear.
        CLEAR,
        /// In TLS, HTTP/2 or HTTP/1.1 as the server likes.
        SECURE,
        /// In TLS, HTTP/1.1 only.
        SECURE_HTTP1
    }

    /// Makes a connection, which is not reading yet. One of the two is called, on the event loop.
    @FunctionalInterface
    public interface Line {
        /// Dials.
        void dial(Consumer<Channel> connected, Consumer<String> failed);
    }

    /// A channel for one request and its answer: HTTP objects are written to it, and come out at
    /// its end.
    public static final class Lease {
        private final Channel channel;
        private final boolean reused;
        private final Consumer<Boolean> end;

        private Lease(Channel channel, boolean reused, Consumer<Boolean> end) {
            this.channel = channel;
            this.reused = reused;
            this.end = end;
        }

        /// The channel.
        public Channel channel() {
            return channel;
        }

        /// Whether it has served requests before, so that the server may just have closed it.
        public boolean reused() {
            return reused;
        }

        /// Ends the request.
        ///
        /// @param keep whether request and answer are complete and more may follow
        public void end(boolean keep) {
            end.accept(keep);
        }
    }

    private record Idle(Channel channel, Future<?> end) {}

    /// A client that waits for a connection of which it is not yet known whether it can be shared.
    private record Waiting(Key key, Channel client) {}

    private record Asker(Line line, Consumer<Lease> ready, Consumer<String> failed) {}

    /// Gives a channel for a request. One of the two is called, maybe at once.
    ///
    /// @param client who asks; connections are dialled for it
    /// @param fresh whether it must not be one that was idle
    public void acquire(
            Key key,
            Channel client,
            boolean fresh,
            Line line,
            Consumer<Lease> ready,
            Consumer<String> failed) {
        Asker asker = new Asker(line, ready, failed);
        Multiplexed open = shared.get(key);
        if (open != null && open.takesMore()) {
            open(key, open, asker, !fresh);
            return;
        }
        Optional<Channel> kept = fresh ? Optional.empty() : takeIdle(key);
        if (kept.isPresent()) {
            ready.accept(lease(key, kept.get(), true));
            return;
        }
        List<Asker> others = waiting.get(new Waiting(key, client));
        if (others != null) {
            others.add(asker);
            return;
        }
        if (key.how() == How.SECURE) {
            waiting.put(new Waiting(key, client), new ArrayList<>());
        }
        connect(key, client, asker);
    }

    private void open(Key key, Multiplexed connection, Asker asker, boolean reused) {
        connection.stream(
                channel ->
                        asker.ready()
                                .accept(
                                        new Lease(
                                                channel,
                                                reused,
                                                keep -> {
                                                    if (!keep) {
                                                        channel.close();
                                                    }
                                                })),
                () -> {
                    shared.remove(key, connection);
                    asker.failed().accept("the server takes no more requests");
                });
    }

    private Optional<Channel> takeIdle(Key key) {
        Deque<Idle> kept = idle.get(key);
        while (kept != null && !kept.isEmpty()) {
            Idle last = kept.removeLast();
            last.end().cancel(false);
            if (last.channel().isActive()) {
                last.channel().pipeline().remove(Unused.class);
                return Optional.of(last.channel());
            }
        }
        return Optional.empty();
    }

    private List<Asker> waited(Key key, Channel client) {
        List<Asker> others = waiting.remove(new Waiting(key, client));
        return others == null ? List.of() : others;
    }

    private void connect(Key key, Channel client, Asker asker) {
        if (!room.tryAcquire() && !(dropOneIdle() && room.tryAcquire())) {
            failed(key, client, asker, "too many connections to servers are open");
            return;
        }
        Consumer<String> failed =
                reason -> {
                    room.release();
                    failed(key, client, asker, reason);
                };
        asker.line()
                .dial(
                        channel -> {
                            channel.closeFuture().addListener(_ -> room.release());
                            connected(key, client, asker, channel);
                        },
                        failed);
    }

    private void failed(Key key, Channel client, Asker asker, String reason) {
        List<Asker> others = waited(key, client);
        asker.failed().accept(reason);
        others.forEach(each -> each.failed().accept(reason));
    }

    private void connected(Key key, Channel client, Asker asker, Channel channel) {
        if (key.how() == How.CLEAR) {
            ready(key, channel, asker);
            return;
        }
        Optional<SslContext> own = showing(key);
        UpstreamTls.begin(
                channel,
                own.orElseGet(() -> isHttp1(key) ? roots.forHttp1() : roots.forHttp()),
                key.destination().host().text(),
                key.destination().port(),
                handshake,
                http2 -> {
                    List<Asker> others = waited(key, client);
                    if (http2) {
                        Multiplexed made = Multiplexed.over(channel, headerBytes);
                        shared.put(key, made);
                        channel.closeFuture().addListener(_ -> shared.remove(key, made));
                        open(key, made, asker, false);
                        others.forEach(each -> open(key, made, each, false));
                    } else {
                        ready(key, channel, asker);
                        others.forEach(each -> connect(key, client, each));
                    }
                },
                reason -> failed(key, client, asker, reason));
        own.ifPresent(TrustedRoots::release);
    }

    private Optional<SslContext> showing(Key key) {
        return key.credential()
                .flatMap(Injection::identity)
                .map(own -> roots.showing(own.key(), own.chain(), isHttp1(key)));
    }

    private static boolean isHttp1(Key key) {
        return key.how() == How.SECURE_HTTP1;
    }

    /// A server that has refused a body answers and closes, so writing fails while there is an
    /// answer to be read.
    private void ready(Key key, Channel channel, Asker asker) {
        channel.config().setOption(ChannelOption.AUTO_CLOSE, false);
        channel.config().setAutoRead(false);
        channel.pipeline()
                .addLast(new HttpClientCodec(HttpCodecs.config(headerBytes), false, true));
        asker.ready().accept(lease(key, channel, false));
    }

    private Lease lease(Key key, Channel channel, boolean reused) {
        int born = generation;
        return new Lease(
                channel,
                reused,
                keep -> {
                    if (keep && born == generation && channel.isActive()) {
                        keep(key, channel);
                    } else {
                        channel.pipeline().addLast(new Unused(() -> {}));
                        channel.close();
                    }
                });
    }

    private void keep(Key key, Channel channel) {
        Deque<Idle> kept = idle.computeIfAbsent(key, _ -> new ArrayDeque<>());
        if (kept.size() >= KEPT_OF_ONE_KEY) {
            channel.close();
            return;
        }
        Future<?> end =
                channel.eventLoop()
                        .schedule(() -> channel.close(), KEPT.toMillis(), TimeUnit.MILLISECONDS);
        Idle one = new Idle(channel, end);
        kept.addLast(one);
        channel.pipeline()
                .addLast(
                        new Unused(() -> {
                            end.cancel(false);
                            kept.remove(one);
                            if (kept.isEmpty()) {
                                idle.remove(key, kept);
                            }
                        }));
        channel.config().setAutoRead(true);
    }

    private boolean dropOneIdle() {
        Optional<Idle> some = idle.values().stream().flatMap(Deque::stream).findFirst();
        some.ifPresent(each -> each.channel().close());
        return some.isPresent();
    }

    /// Gives no request to any connection that is there now; those in use end with their requests.
    public void drain() {
        generation++;
        List.copyOf(idle.values())
                .forEach(kept -> List.copyOf(kept).forEach(each -> each.channel().close()));
        shared.values().forEach(Multiplexed::drain);
        shared.clear();
    }

    /// Nobody expects anything from a connection that nobody uses.
    private static final class Unused extends ChannelInboundHandlerAdapter {
        private final Runnable gone;

        Unused(Runnable gone) {
            this.gone = gone;
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ReferenceCountUtil.release(message);
            ctx.close();
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            ctx.close();
        }

        @Override
        public void channelInactive(ChannelHandlerContext ctx) {
            gone.run();
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            ctx.close();
        }
    }
}
