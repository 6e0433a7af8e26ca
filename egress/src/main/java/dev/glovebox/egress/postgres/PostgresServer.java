package dev.glovebox.egress.postgres;

import dev.glovebox.egress.wire.Deadline;
import dev.glovebox.egress.wire.Wire;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/// The server's side of a login: answers what the server asks, and hands to the client what it is
/// to know. Gives way when the server is ready for the first query.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
final class PostgresServer extends ByteToMessageDecoder {
    private static final int MAX_MESSAGE = 64 * 1024;
    private static final SecureRandom RANDOM = new SecureRandom();

    private final Wire wire;
    private final PostgresLogin login;
    private final BackendKeys keys;
    private final Runnable ready;
    private final BiConsumer<String, String> failed;
    private final Deadline deadline;
    private @Nullable Scram scram;
    private boolean proven;
    private boolean accepted;
    private boolean over;

    /// @param ready is told once that the client's queries may pass
    /// @param failed is told once why they may not: SQLSTATE and reason
    PostgresServer(
            Wire wire,
            PostgresLogin login,
            BackendKeys keys,
            Runnable ready,
            BiConsumer<String, String> failed) {
        this.wire = wire;
        this.login = login;
        this.keys = keys;
        this.ready = ready;
        this.failed = failed;
        this.deadline = new Deadline(wire.client(), wire.patience());
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        deadline.start(() -> fail(ctx, "the server did not finish the login in time"));
    }

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
        if (over) {
            in.skipBytes(in.readableBytes());
            return;
        }
        if (in.readableBytes() < 5) {
            return;
        }
        int length = in.getInt(in.readerIndex() + 1);
        if (length < 4 || length > MAX_MESSAGE) {
            fail(ctx, "the server does not speak PostgreSQL");
            return;
        }
        if (in.readableBytes() <= length) {
            return;
        }
        ByteBuf whole = in.readSlice(1 + length);
        if (repeatsSecret(whole)) {
            fail(ctx, "the server's answer holds the password and is withheld");
            return;
        }
        char type = (char) whole.getByte(whole.readerIndex());
        ByteBuf body = whole.slice(whole.readerIndex() + 5, length - 4);
        if (accepted) {
            prepare(ctx, type, whole, body);
        } else {
            authenticate(ctx, type, whole, body);
        }
    }

    private boolean repeatsSecret(ByteBuf message) {
        ByteBuf needle =
                Unpooled.wrappedBuffer(login.password().reveal().getBytes(StandardCharsets.UTF_8));
        return ByteBufUtil.indexOf(needle, message) >= 0;
    }

    private void authenticate(ChannelHandlerContext ctx, char type, ByteBuf whole, ByteBuf body) {
        switch (type) {
            case 'R' -> {
                if (body.readableBytes() < 4) {
                    fail(ctx, "the server does not speak PostgreSQL");
                } else {
                    answer(ctx, body.readInt(), body);
                }
            }
            case 'v' -> forward(whole);
            case 'N' -> {}
            case 'E' -> end(ctx, whole);
            default -> fail(ctx, "the server does not speak PostgreSQL");
        }
    }

    private void answer(ChannelHandlerContext ctx, int request, ByteBuf body) {
        switch (request) {
            case 0 -> accept(ctx);
            case 3 -> ctx.writeAndFlush(Messages.password(login.password().reveal()));
            case 5 -> md5(ctx, body);
            case 10 -> offer(ctx, body.toString(StandardCharsets.UTF_8));
            case 11 -> prove(ctx, body.toString(StandardCharsets.UTF_8));
            case 12 -> {
                proven = scram != null && scram.proves(body.toString(StandardCharsets.UTF_8));
                if (!proven) {
                    fail(ctx, "the server does not know the password either");
                }
            }
            default -> fail(ctx, "the server asks for a login that a password cannot give");
        }
    }

    /// A server that breaks off SCRAM and accepts all the same has not proven who it is.
    private void accept(ChannelHandlerContext ctx) {
        if (scram != null && !proven) {
            fail(ctx, "the server did not finish SCRAM");
            return;
        }
        accepted = true;
        forward(Messages.authenticationOk());
    }

    private void offer(ChannelHandlerContext ctx, String mechanisms) {
        if (scram != null || !List.of(mechanisms.split("\0", -1)).contains(Scram.MECHANISM)) {
            fail(ctx, "the server does not offer SCRAM-SHA-256");
            return;
        }
        scram = new Scram(login.password(), RANDOM);
        ctx.writeAndFlush(Messages.saslInitial(Scram.MECHANISM, scram.first()));
    }

    /// Computed off the event loop, which has other connections to serve.
    private void prove(ChannelHandlerContext ctx, String challenge) {
        Scram exchange = scram;
        if (exchange == null || proven) {
            fail(ctx, "the server does not speak SCRAM");
            return;
        }
        Thread.ofVirtual()
                .name("egress-scram")
                .start(() -> {
                    try {
                        String last = exchange.last(challenge);
                        ctx.writeAndFlush(Messages.saslResponse(last));
                    } catch (GeneralSecurityException e) {
                        ctx.executor().execute(() -> fail(ctx, String.valueOf(e.getMessage())));
                    }
                });
    }

    private void md5(ChannelHandlerContext ctx, ByteBuf salt) {
        if (salt.readableBytes() != 4) {
            fail(ctx, "the server does not speak PostgreSQL");
            return;
        }
        byte[] bytes = ByteBufUtil.getBytes(salt);
        String inner = login.password().reveal() + login.user();
        String hashed = hex(inner.getBytes(StandardCharsets.UTF_8), new byte[0]);
        ctx.writeAndFlush(
                Messages.password("md5" + hex(hashed.getBytes(StandardCharsets.UTF_8), bytes)));
    }

    private static String hex(byte[] text, byte[] salt) {
        try {
            MessageDigest md5 = MessageDigest.getInstance("MD5");
            md5.update(text);
            return HexFormat.of().formatHex(md5.digest(salt));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has MD5", e);
        }
    }

    /// Between the acceptance and the first query: settings, the key for cancel requests, notices.
    private void prepare(ChannelHandlerContext ctx, char type, ByteBuf whole, ByteBuf body) {
        switch (type) {
            case 'S', 'N' -> forward(whole);
            case 'K' -> {
                String key = ByteBufUtil.hexDump(body);
                keys.add(key);
                ctx.channel().closeFuture().addListener(_ -> keys.remove(key));
                forward(whole);
            }
            case 'E' -> end(ctx, whole);
            case 'Z' -> {
                forward(whole);
                over = true;
                deadline.stop();
                ready.run();
                ctx.pipeline().remove(this);
            }
            default -> fail(ctx, "the server does not speak PostgreSQL");
        }
    }

    private void forward(ByteBuf message) {
        wire.client().writeAndFlush(Unpooled.copiedBuffer(message));
    }

    /// The server's own words reach the client, and the connection ends.
    private void end(ChannelHandlerContext ctx, ByteBuf error) {
        over = true;
        deadline.stop();
        wire.denied("it is allowed, but the server refused the login");
        wire.client()
                .writeAndFlush(Unpooled.copiedBuffer(error))
                .addListener(ChannelFutureListener.CLOSE);
        ctx.close();
    }

    private void fail(ChannelHandlerContext ctx, String reason) {
        if (!over) {
            over = true;
            deadline.stop();
            failed.accept("08006", reason);
            ctx.close();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) throws Exception {
        fail(ctx, "the server ended the connection during the login");
        super.channelInactive(ctx);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        fail(ctx, "the connection to the server broke during the login");
    }

    @Override
    protected void handlerRemoved0(ChannelHandlerContext ctx) {
        deadline.stop();
    }
}
