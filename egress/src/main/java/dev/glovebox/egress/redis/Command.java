package dev.glovebox.egress.redis;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;

/// A command in the one spelling that is sent: an array of bulk strings (RESP2, RESP3).
///
/// @param words the command's name, then its arguments, each byte a character
record Command(List<String> words) {
    Command {
        words = List.copyOf(words);
    }

    static Command of(String... words) {
        return new Command(List.of(words));
    }

    /// A command that no server has, whose name is the reason. The answer to what was refused has
    /// to come in the order of the commands, and only the server knows that order: so it gives it.
    static Command refused(String reason) {
        String printable = reason.replaceAll("[^ -~]", "?");
        return of(printable.substring(0, Math.min(127, printable.length())));
    }

    String name() {
        return words.getFirst().toUpperCase(Locale.ROOT);
    }

    ByteBuf bytes() {
        ByteBuf out = head(words.size());
        words.forEach(word -> out.writeBytes(bulk(word)));
        return out;
    }

    static ByteBuf head(int words) {
        return Unpooled.buffer()
                .writeBytes(("*" + words + "\r\n").getBytes(StandardCharsets.ISO_8859_1));
    }

    static ByteBuf bulk(String word) {
        return Unpooled.buffer()
                .writeBytes(
                        ("$" + word.length() + "\r\n" + word + "\r\n")
                                .getBytes(StandardCharsets.ISO_8859_1));
    }

    /// A text as its UTF-8 bytes, each byte a character.
    static String raw(String text) {
        return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
    }
}
