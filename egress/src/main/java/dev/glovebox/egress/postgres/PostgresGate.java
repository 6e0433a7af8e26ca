package dev.glovebox.egress.postgres;

import dev.glovebox.egress.wire.Deadline;
import dev.glovebox.egress.wire.Wire;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.util.ReferenceCountUtil;
import java.util.LinkedHashMap;
import java.util.Map;

/// A rule of protocol `postgres` with a credential: the door logs in at the server, the client is
/// let in without a password, and then every byte passes.
///
/// The startup packet is read, judged and written anew: the user must be the credential's, the
/// database one of the rule's, and replication is refused. TLS is refused to the client, whose
/// bytes never leave this host before they get here. Until the server has accepted the login
/// nothing else is read from the client, and what it sent early waits.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
public final class PostgresGate extends ChannelInboundHandlerAdapter {
    private static final int MAX_QUESTIONS = 2;

    private final Wire wire;
    private final PostgresLogin login;
    private final BackendKeys keys;
    private final Deadline deadline;
    private final ByteBuf early = Unpooled.buffer(256, StartupPacket.MAX_BYTES + 64 * 1024);
    private int questions;
    private boolean started;

    public PostgresGate(Wire wire, PostgresLogin login, BackendKeys keys) {
        this.wire = wire;
        this.login = login;
        this.keys = keys;
        this.deadline = new Deadline(wire.client(), wire.patience());
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        deadline.start(() -> refuse("08P01", "no startup packet came in time"));
        ctx.read();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ByteBuf bytes = (ByteBuf) message;
        try {
            if (bytes.readableBytes() > early.maxWritableBytes()) {
                refuse("08P01", "too much was sent before the login");
            } else {
                early.writeBytes(bytes);
            }
        } finally {
            ReferenceCountUtil.release(message);
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        if (started || !ctx.channel().isOpen()) {
            return;
        }
        switch (StartupPacket.take(early)) {
            case StartupPacket.Incomplete() -> ctx.read();
            case StartupPacket.Malformed(String reason) -> refuse("08P01", reason);
            case StartupPacket.Encryption() -> answerEncryption(ctx);
            case StartupPacket.Cancel(String key) -> cancel(key);
            case StartupPacket.Startup startup -> judge(startup);
        }
    }

    private void answerEncryption(ChannelHandlerContext ctx) {
        questions++;
        if (questions > MAX_QUESTIONS || early.isReadable()) {
            // bytes behind the question were meant for an encrypted connection (CVE-2021-23214)
            refuse("08P01", "the request for encryption is not alone");
            return;
        }
        ctx.writeAndFlush(Messages.noEncryption());
        ctx.read();
    }

    private void judge(StartupPacket.Startup startup) {
        Map<String, String> given = startup.parameters();
        String user = given.getOrDefault("user", "");
        String database = given.getOrDefault("database", user);
        if (!user.equals(login.user())) {
            refuse("28000", byRule("logs in as user \"" + login.user() + "\" and no other"));
        } else if (!login.databases().test(database)) {
            refuse("28000", byRule("does not give this database"));
        } else if (given.containsKey("replication")) {
            refuse("28000", byRule("does not give replication"));
        } else {
            Map<String, String> sent = new LinkedHashMap<>(given);
            sent.put("database", database);
            started = true;
            deadline.stop();
            wire.dial(
                    upstream -> connected(upstream, () -> logIn(upstream, startup.version(), sent)),
                    reason -> end("08006", reason));
        }
    }

    private String byRule(String what) {
        return "refused by the door: rule \"" + wire.rule() + "\" " + what;
    }

    /// A server is asked for TLS before it may see the login; one that has none does not get it.
    private void connected(Channel upstream, Runnable next) {
        if (wire.clear()) {
            next.run();
            return;
        }
        upstream.pipeline()
                .addLast(
                        new EncryptionAnswer(
                                wire,
                                () -> wire.secure(upstream, next, reason -> end("08006", reason)),
                                reason -> refuse("08006", reason)));
        upstream.writeAndFlush(Messages.encryption());
        upstream.read();
    }

    private void logIn(Channel upstream, int version, Map<String, String> parameters) {
        upstream.pipeline()
                .addLast(new PostgresServer(wire, login, keys, () -> pass(upstream), this::refuse));
        upstream.writeAndFlush(Messages.startup(version, parameters));
        upstream.read();
    }

    private void pass(Channel upstream) {
        if (early.isReadable()) {
            upstream.writeAndFlush(early.readBytes(early.readableBytes()));
        }
        wire.relay(upstream, this);
    }

    private void cancel(String key) {
        started = true;
        deadline.stop();
        if (!keys.has(key)) {
            wire.denied("a cancel request for a session that is not this sandbox's");
            wire.reset();
            return;
        }
        ByteBuf packet = Unpooled.buffer().writeInt(8 + key.length() / 2);
        packet.writeInt(StartupPacket.CANCEL).writeBytes(ByteBufUtil.decodeHexDump(key));
        wire.dial(
                upstream ->
                        connected(
                                upstream,
                                () ->
                                        upstream.writeAndFlush(packet)
                                                .addListener(ChannelFutureListener.CLOSE)
                                                .addListener(_ -> wire.client().close())),
                _ -> wire.reset());
    }

    private void refuse(String code, String reason) {
        wire.denied(reason);
        end(code, reason);
    }

    private void end(String code, String reason) {
        started = true;
        deadline.stop();
        wire.client()
                .writeAndFlush(Messages.error(code, reason))
                .addListener(ChannelFutureListener.CLOSE);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof ChannelInputShutdownEvent) {
            wire.reset();
        } else {
            ctx.fireUserEventTriggered(event);
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        wire.reset();
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        deadline.stop();
        early.release();
    }
}
