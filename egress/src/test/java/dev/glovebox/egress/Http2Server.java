package dev.glovebox.egress;

import dev.glovebox.egress.tls.TestAuthority;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.handler.codec.http2.DefaultHttp2DataFrame;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersFrame;
import io.netty.handler.codec.http2.Http2DataFrame;
import io.netty.handler.codec.http2.Http2FrameCodecBuilder;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersFrame;
import io.netty.handler.codec.http2.Http2MultiplexHandler;
import io.netty.handler.codec.http2.Http2ResetFrame;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.ApplicationProtocolNegotiationHandler;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// An upstream on the host's loopback that speaks HTTP/2 in TLS and nothing else. Each stream is
/// served by a script of the test's.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
final class Http2Server implements AutoCloseable {
    private static final String END = "[end]";
    private static final String RESET = "[reset]";

    private final EventLoopGroup loops =
            new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final AtomicInteger connections = new AtomicInteger();
    private final List<Channel> open = new CopyOnWriteArrayList<>();
    private final List<Http2Headers> seen = new CopyOnWriteArrayList<>();
    private final Script script;
    private final Channel listener;

    /// What happens on one stream; if it does not end it, it stays open.
    @FunctionalInterface
    interface Script {
        void serve(Stream stream) throws IOException, InterruptedException;
    }

    /// One request, and what is said to it.
    static final class Stream {
        private final Channel channel;
        private final Http2Headers headers;
        private final BlockingQueue<String> pieces = new LinkedBlockingQueue<>();

        Stream(Channel channel, Http2Headers headers) {
            this.channel = channel;
            this.headers = headers;
        }

        String header(String name) {
            return String.valueOf(headers.get(name));
        }

        /// What came next: a piece of the body, or [#isOver].
        String next() throws IOException, InterruptedException {
            String next = pieces.poll(20, TimeUnit.SECONDS);
            if (next == null) {
                throw new IOException("nothing came");
            }
            return next;
        }

        /// Whether the piece is no piece, but the end of the request, however it ended.
        static boolean isOver(String piece) {
            return piece.equals(END) || piece.equals(RESET);
        }

        /// The rest of the body, to its end.
        String body() throws IOException, InterruptedException {
            StringBuilder body = new StringBuilder();
            for (String piece = next(); !isOver(piece); piece = next()) {
                body.append(piece);
            }
            return body.toString();
        }

        /// Says header fields: names and values in turn.
        void head(boolean end, String... fields) {
            Http2Headers said = new DefaultHttp2Headers(false);
            for (int i = 0; i < fields.length; i += 2) {
                said.add(fields[i], fields[i + 1]);
            }
            channel.writeAndFlush(new DefaultHttp2HeadersFrame(said, end));
        }

        void data(boolean end, String text) {
            channel.writeAndFlush(
                    new DefaultHttp2DataFrame(
                            Unpooled.copiedBuffer(text, StandardCharsets.ISO_8859_1), end));
        }

        /// Ends the whole connection, without a word.
        void hangUp() {
            channel.parent().close();
        }

        /// Answers with a text.
        void answer(String text) {
            head(false, ":status", "200");
            data(true, text);
        }
    }

    Http2Server(TestAuthority.Identity identity, Script script) throws IOException {
        this.script = script;
        SslContext tls =
                SslContextBuilder.forServer(
                                identity.keys().getPrivate(),
                                identity.chain().toArray(X509Certificate[]::new))
                        .applicationProtocolConfig(
                                new ApplicationProtocolConfig(
                                        ApplicationProtocolConfig.Protocol.ALPN,
                                        ApplicationProtocolConfig.SelectorFailureBehavior
                                                .NO_ADVERTISE,
                                        ApplicationProtocolConfig.SelectedListenerFailureBehavior
                                                .ACCEPT,
                                        ApplicationProtocolNames.HTTP_2))
                        .build();
        this.listener =
                new ServerBootstrap()
                        .group(loops)
                        .channel(EpollServerSocketChannel.class)
                        .childHandler(
                                new ChannelInitializer<>() {
                                    @Override
                                    protected void initChannel(Channel channel) {
                                        connections.incrementAndGet();
                                        open.add(channel);
                                        channel.closeFuture()
                                                .addListener(_ -> open.remove(channel));
                                        channel.pipeline()
                                                .addLast(
                                                        tls.newHandler(channel.alloc()),
                                                        new Begin());
                                    }
                                })
                        .bind(InetAddress.ofLiteral("127.0.0.1"), 0)
                        .syncUninterruptibly()
                        .channel();
    }

    private final class Begin extends ApplicationProtocolNegotiationHandler {
        Begin() {
            super(ApplicationProtocolNames.HTTP_1_1);
        }

        @Override
        protected void configurePipeline(ChannelHandlerContext ctx, String protocol) {
            if (protocol.equals(ApplicationProtocolNames.HTTP_2)) {
                ctx.pipeline()
                        .addLast(
                                Http2FrameCodecBuilder.forServer()
                                        .encoderEnforceMaxRstFramesPerWindow(0, 0)
                                        .build(),
                                new Http2MultiplexHandler(
                                        new ChannelInitializer<>() {
                                            @Override
                                            protected void initChannel(Channel stream) {
                                                stream.pipeline().addLast(new Requests());
                                            }
                                        }));
            } else {
                ctx.close();
            }
        }
    }

    private final class Requests extends ChannelInboundHandlerAdapter {
        private Stream stream;

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object frame) {
            boolean end = false;
            if (frame instanceof Http2HeadersFrame head) {
                end = head.isEndStream();
                if (stream == null) {
                    Stream begun = new Stream(ctx.channel(), head.headers());
                    stream = begun;
                    seen.add(head.headers());
                    threads.execute(() -> serve(begun));
                } else {
                    seen.add(head.headers());
                }
            } else if (frame instanceof Http2DataFrame data) {
                end = data.isEndStream();
                stream.pieces.add(data.content().toString(StandardCharsets.ISO_8859_1));
            }
            if (end) {
                stream.pieces.add(END);
            }
            ReferenceCountUtil.release(frame);
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            if (event instanceof Http2ResetFrame && stream != null) {
                stream.pieces.add(RESET);
            }
        }
    }

    private void serve(Stream stream) {
        try {
            script.serve(stream);
        } catch (IOException | InterruptedException e) {
            stream.channel.close();
        }
    }

    int port() {
        return ((InetSocketAddress) listener.localAddress()).getPort();
    }

    int connections() {
        return connections.get();
    }

    /// How many connections are open now.
    int open() {
        return open.size();
    }

    /// Heads and trailers of all requests so far.
    List<Http2Headers> seen() {
        return seen;
    }

    /// Ends every connection.
    void hangUp() {
        open.forEach(each -> each.close().syncUninterruptibly());
    }

    @Override
    public void close() {
        loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(5_000);
        threads.shutdownNow();
    }
}
