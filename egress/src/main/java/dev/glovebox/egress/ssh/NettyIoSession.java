package dev.glovebox.egress.ssh;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.sshd.common.io.AbstractIoWriteFuture;
import org.apache.sshd.common.io.IoHandler;
import org.apache.sshd.common.io.IoService;
import org.apache.sshd.common.io.IoSession;
import org.apache.sshd.common.io.IoWriteFuture;
import org.apache.sshd.common.util.Readable;
import org.apache.sshd.common.util.buffer.Buffer;
import org.apache.sshd.common.util.closeable.AbstractCloseable;
import org.jspecify.annotations.Nullable;

/// A connection of ours as Apache MINA SSHD sees one.
///
/// What arrives is handed to MINA on a virtual thread of this connection, because key exchange and
/// ciphers would hold up an event loop that serves others. The next bytes are read when those have
/// been dealt with, and a writer waits while the connection takes no more: so neither direction
/// holds more than one buffer. SSH's own windows bound what is held inside MINA.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
final class NettyIoSession extends AbstractCloseable implements IoSession {
    private static final AtomicLong IDS = new AtomicLong();
    private static final long WRITE_SECONDS = 60;
    private static final byte[] END = {};

    private final long id = IDS.incrementAndGet();
    private final Channel channel;
    private final IoHandler handler;
    private final Map<Object, Object> attributes = new ConcurrentHashMap<>();
    private final LinkedBlockingQueue<byte[]> arrived = new LinkedBlockingQueue<>();
    private final Semaphore writable = new Semaphore(0);

    /// @param channel not reading
    NettyIoSession(Channel channel, IoHandler handler) {
        this.channel = channel;
        this.handler = handler;
    }

    /// Takes over the channel. Called on its event loop; MINA hears of it on the virtual thread.
    void start(String thread) {
        channel.pipeline().addLast(new Reader());
        channel.closeFuture()
                .addListener(_ -> {
                    arrived.add(END);
                    writable.release();
                });
        Thread.ofVirtual().name(thread).start(this::run);
    }

    private void run() {
        try {
            handler.sessionCreated(this);
            channel.read();
            byte[] bytes = arrived.take();
            while (bytes.length > 0) {
                handler.messageReceived(this, Readable.readable(ByteBuffer.wrap(bytes)));
                channel.read();
                bytes = arrived.take();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (Exception e) {
            tell(e);
        } finally {
            channel.close();
            ended();
        }
    }

    private void tell(Exception fault) {
        try {
            handler.exceptionCaught(this, fault);
        } catch (Exception e) {
            channel.close();
        }
    }

    private void ended() {
        try {
            handler.sessionClosed(this);
        } catch (Exception e) {
            channel.close();
        }
        close(true);
    }

    private final class Reader extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext ctx, Object message) {
            byte[] bytes = ByteBufUtil.getBytes((ByteBuf) message);
            ReferenceCountUtil.release(message);
            if (bytes.length > 0) {
                arrived.add(bytes);
            }
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext ctx) {
            writable.release();
        }

        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            if (event instanceof ChannelInputShutdownEvent) {
                arrived.add(END);
            } else {
                ctx.fireUserEventTriggered(event);
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            ctx.close();
        }
    }

    @Override
    public IoWriteFuture writeBuffer(Buffer buffer) throws IOException {
        awaitWritable();
        Written written = new Written(id);
        ByteBuf bytes = Unpooled.copiedBuffer(buffer.array(), buffer.rpos(), buffer.available());
        // queued even from the event loop itself: packets are numbered, none may overtake another
        channel.eventLoop()
                .execute(() ->
                        channel.writeAndFlush(bytes)
                                .addListener(future -> written.done(future.cause())));
        return written;
    }

    private void awaitWritable() throws IOException {
        while (!channel.isWritable() && channel.isOpen() && !channel.eventLoop().inEventLoop()) {
            try {
                if (!writable.tryAcquire(WRITE_SECONDS, TimeUnit.SECONDS)) {
                    channel.close();
                    throw new IOException("the other side takes nothing any more");
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("interrupted while writing");
            }
        }
    }

    private static final class Written extends AbstractIoWriteFuture {
        Written(long id) {
            super("write-" + id, null);
        }

        void done(@Nullable Throwable fault) {
            if (fault == null) {
                setValue(true);
            } else {
                setValue(fault);
            }
        }
    }

    @Override
    protected void doCloseImmediately() {
        channel.close();
        super.doCloseImmediately();
    }

    @Override
    public long getId() {
        return id;
    }

    @Override
    public SocketAddress getAcceptanceAddress() {
        return channel.localAddress();
    }

    @Override
    public SocketAddress getLocalAddress() {
        return channel.localAddress();
    }

    @Override
    public SocketAddress getRemoteAddress() {
        return channel.remoteAddress();
    }

    @Override
    public @Nullable Object getAttribute(Object key) {
        return attributes.get(key);
    }

    @Override
    public @Nullable Object setAttribute(Object key, Object value) {
        return attributes.put(key, value);
    }

    @Override
    public @Nullable Object setAttributeIfAbsent(Object key, Object value) {
        return attributes.putIfAbsent(key, value);
    }

    @Override
    public @Nullable Object removeAttribute(Object key) {
        return attributes.remove(key);
    }

    @Override
    public IoService getService() {
        throw new UnsupportedOperationException("the door accepts and dials by itself");
    }

    @Override
    public void shutdownOutputStream() {
        close(false);
    }

    @Override
    public void suspendRead() {
        // forwarding asks for this, and there is none
    }

    @Override
    public void resumeRead() {
        // forwarding asks for this, and there is none
    }
}
