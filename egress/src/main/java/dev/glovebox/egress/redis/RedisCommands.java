package dev.glovebox.egress.redis;

import dev.glovebox.egress.wire.Wire;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Reads a client's commands, judges each, and writes them anew.
///
/// Only the name of a command is held, and the whole of `AUTH` and `HELLO`; arguments pass as they
/// come, whatever their length. Lengths are read strictly and written again, so the server cannot
/// see other borders than were seen here. An inline command becomes an array.
@SuppressWarnings("FutureReturnValueIgnored") // a channel that fails closes itself
final class RedisCommands extends ByteToMessageDecoder {
    private static final int MAX_LINE = 64 * 1024;
    private static final int MAX_WORDS = 1024 * 1024;
    private static final int MAX_NAME = 128;
    private static final int MAX_LOGIN = 16 * 1024;
    private static final long MAX_BULK = 512L << 20;
    private static final Pattern LENGTH = Pattern.compile("0|[1-9][0-9]{0,9}");

    /// What the next bytes are.
    private enum Next {
        HEAD,
        NAME_LENGTH,
        NAME,
        WORD_LENGTH,
        WORD,
        WORD_END,
        NOTHING
    }

    private final Wire wire;
    private final CommandRules rules;
    private final List<String> held = new ArrayList<>();
    private Next next = Next.HEAD;
    private int words;
    private long length;
    private boolean hold;
    private boolean drop;
    private int heldBytes;

    RedisCommands(Wire wire, CommandRules rules) {
        this.wire = wire;
        this.rules = rules;
    }

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
        switch (next) {
            case HEAD -> head(ctx, in, out);
            case NAME_LENGTH -> length(ctx, in, MAX_NAME);
            case NAME -> name(ctx, in, out);
            case WORD_LENGTH -> wordLength(ctx, in, out);
            case WORD -> word(ctx, in, out);
            case WORD_END -> wordEnd(ctx, in, out);
            case NOTHING -> in.skipBytes(in.readableBytes());
        }
    }

    private void head(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
        String line = line(ctx, in);
        if (line == null) {
            return;
        }
        if (!line.startsWith("*")) {
            inline(ctx, line, out);
            return;
        }
        String count = line.substring(1);
        if (!LENGTH.matcher(count).matches() || Long.parseLong(count) > MAX_WORDS) {
            malformed(ctx, "invalid multibulk length");
        } else if (!count.equals("0")) {
            words = Integer.parseInt(count);
            next = Next.NAME_LENGTH;
        }
    }

    /// Quotes and escapes have rules of their own there, and a second reader of them is a second
    /// opinion.
    private void inline(ChannelHandlerContext ctx, String line, List<Object> out) {
        if (line.chars().anyMatch(c -> c == '"' || c == '\'' || c == '\\' || c < ' ')) {
            malformed(ctx, "inline command with quotes, use arrays");
            return;
        }
        List<String> parts = List.of(line.trim().split(" +", -1));
        if (!parts.getFirst().isEmpty()) {
            Command asked = new Command(parts);
            out.add(judged(asked).bytes());
        }
    }

    private Command judged(Command asked) {
        String name = asked.name();
        if (!rules.gives(name)) {
            return refused(name);
        }
        return rules.needsWhole(name) ? rules.replaced(asked) : asked;
    }

    private Command refused(String name) {
        String reason = rules.refusal(name.substring(0, Math.min(32, name.length())));
        wire.denied(reason.replaceAll("[^ -~]", "?"));
        return Command.refused(reason);
    }

    /// Reads `$LENGTH`.
    private void length(ChannelHandlerContext ctx, ByteBuf in, long most) {
        String line = line(ctx, in);
        if (line == null) {
            return;
        }
        if (!line.startsWith("$") || !LENGTH.matcher(line.substring(1)).matches()) {
            malformed(ctx, "expected '$' and a length");
            return;
        }
        length = Long.parseLong(line.substring(1));
        if (length > most) {
            malformed(ctx, "invalid bulk length");
        } else {
            next = next == Next.NAME_LENGTH ? Next.NAME : Next.WORD;
        }
    }

    private void name(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
        if (in.readableBytes() < length + 2) {
            return;
        }
        String word = in.readCharSequence((int) length, StandardCharsets.ISO_8859_1).toString();
        if (!endsLine(ctx, in)) {
            return;
        }
        String name = word.toUpperCase(Locale.ROOT);
        words--;
        heldBytes = 0;
        held.clear();
        held.add(word);
        drop = !rules.gives(name);
        hold = !drop && rules.needsWhole(name);
        if (drop) {
            out.add(refused(name).bytes());
        } else if (!hold) {
            out.add(Unpooled.wrappedBuffer(Command.head(words + 1), Command.bulk(word)));
        }
        following(out);
    }

    /// What comes behind a complete word.
    private void following(List<Object> out) {
        if (words > 0) {
            next = Next.WORD_LENGTH;
            return;
        }
        if (hold) {
            out.add(rules.replaced(new Command(held)).bytes());
        }
        next = Next.HEAD;
    }

    private void wordLength(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
        length(ctx, in, hold ? MAX_LOGIN - heldBytes : MAX_BULK);
        if (next == Next.WORD && !hold && !drop) {
            out.add(Unpooled.copiedBuffer("$" + length + "\r\n", StandardCharsets.ISO_8859_1));
        }
        if (next == Next.WORD && !hold && length == 0) {
            next = Next.WORD_END;
        }
    }

    private void word(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
        if (hold) {
            if (in.readableBytes() >= length + 2) {
                held.add(in.readCharSequence((int) length, StandardCharsets.ISO_8859_1).toString());
                heldBytes += (int) length + 32;
                if (endsLine(ctx, in)) {
                    words--;
                    following(out);
                }
            }
            return;
        }
        int here = (int) Math.min(length, in.readableBytes());
        if (here > 0) {
            if (drop) {
                in.skipBytes(here);
            } else {
                out.add(in.readRetainedSlice(here));
            }
            length -= here;
        }
        if (length == 0) {
            next = Next.WORD_END;
        }
    }

    private void wordEnd(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) {
        if (in.readableBytes() < 2 || !endsLine(ctx, in)) {
            return;
        }
        if (!drop) {
            out.add(Unpooled.copiedBuffer("\r\n", StandardCharsets.ISO_8859_1));
        }
        words--;
        following(out);
    }

    private boolean endsLine(ChannelHandlerContext ctx, ByteBuf in) {
        if (in.readByte() == '\r' && in.readByte() == '\n') {
            return true;
        }
        malformed(ctx, "bulk string without its end");
        return false;
    }

    private @Nullable String line(ChannelHandlerContext ctx, ByteBuf in) {
        int end = in.bytesBefore((byte) '\n');
        if (end > MAX_LINE || (end < 0 && in.readableBytes() > MAX_LINE)) {
            malformed(ctx, "too big line");
            return null;
        }
        if (end < 0) {
            return null;
        }
        String line = in.readCharSequence(end + 1, StandardCharsets.ISO_8859_1).toString();
        if (!line.endsWith("\r\n")) {
            malformed(ctx, "line without its carriage return");
            return null;
        }
        return line.substring(0, line.length() - 2);
    }

    private void malformed(ChannelHandlerContext ctx, String reason) {
        next = Next.NOTHING;
        wire.denied("the client does not speak Redis: " + reason);
        ctx.writeAndFlush(
                        Unpooled.copiedBuffer(
                                "-ERR Protocol error: " + reason + "\r\n",
                                StandardCharsets.ISO_8859_1))
                .addListener(ChannelFutureListener.CLOSE);
    }
}
