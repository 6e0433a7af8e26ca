package dev.glovebox.egress.http;

import dev.glovebox.egress.tls.TrustedRoots;
import dev.glovebox.egress.tls.UpstreamTls;
import dev.glovebox.protocol.egress.Destination;
import dev.glovebox.protocol.egress.EgressRule;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.ssl.SslContext;
import io.netty.util.ReferenceCountUtil;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
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
    private final TrustedRoots roots;
    private final Semaphore room;
    private final int headerBytes;
    private final Duration handshake;
    private final IdleConnections idle;
    private final Map<Key, Multiplexed> shared = new HashMap<>();
    private final Map<Waiting, List<Asker>> waiting = new HashMap<>();
    private int generation;

    /// @param loop where everything runs
    /// @param roots whom to believe
    /// @param room for connections of the door that are in use, on all event loops
    /// @param kept how many that are not in use are kept on this one
    /// @param headerBytes of one response head
    /// @param handshake longest time for TLS
    public Upstreams(
            EventLoop loop,
            TrustedRoots roots,
            Semaphore room,
            int kept,
            int headerBytes,
            Duration handshake) {
        this.idle = new IdleConnections(loop, kept);
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
        Optional<Seat> kept = fresh ? Optional.empty() : idle.take(key);
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

    private List<Asker> waited(Key key, Channel client) {
        List<Asker> others = waiting.remove(new Waiting(key, client));
        return others == null ? List.of() : others;
    }

    private void connect(Key key, Channel client, Asker asker) {
        if (!room.tryAcquire()) {
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
                            connected(key, client, asker, Seat.of(channel, room));
                        },
                        failed);
    }

    private void failed(Key key, Channel client, Asker asker, String reason) {
        List<Asker> others = waited(key, client);
        asker.failed().accept(reason);
        others.forEach(each -> each.failed().accept(reason));
    }

    private void connected(Key key, Channel client, Asker asker, Seat seat) {
        if (key.how() == How.CLEAR) {
            ready(key, seat, asker);
            return;
        }
        Channel channel = seat.channel();
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
                        ready(key, seat, asker);
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
    private void ready(Key key, Seat seat, Asker asker) {
        Channel channel = seat.channel();
        channel.config().setOption(ChannelOption.AUTO_CLOSE, false);
        channel.config().setAutoRead(false);
        channel.pipeline()
                .addLast(new HttpClientCodec(HttpCodecs.config(headerBytes), false, true));
        asker.ready().accept(lease(key, seat, false));
    }

    private Lease lease(Key key, Seat seat, boolean reused) {
        int born = generation;
        Channel channel = seat.channel();
        return new Lease(
                channel,
                reused,
                keep -> {
                    if (keep && born == generation && channel.isActive()) {
                        idle.keep(key, seat);
                    } else {
                        channel.pipeline().addLast(new Forsaken());
                        channel.close();
                    }
                });
    }

    /// Gives no request to any connection that is there now; those in use end with their requests.
    public void drain() {
        generation++;
        idle.clear();
        List.copyOf(shared.values()).forEach(Multiplexed::drain);
        shared.clear();
    }

    /// The end of a connection whose answer nobody waits for any more: its codec misses that answer
    /// when it is closed, and says so.
    private static final class Forsaken extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            ReferenceCountUtil.release(message);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            ctx.close();
        }
    }
}
