package dev.glovebox.worker.operator;

import java.util.HexFormat;

/// Text of a sandbox, made fit for a person's terminal: nothing in it can move the cursor, set a
/// title, answer as if it were typed, or turn the direction of writing.
public final class Printable {
    private static final String NAMED = "\n\r\t";
    private static final String LETTERS = "nrt";

    private Printable() {}

    /// The text with every control and direction character as `\n`, `\x1b`, `\u202e`.
    public static String line(String text) {
        return escaped(text, "");
    }

    /// As [#line], but line feeds and tabs stay.
    public static String lines(String text) {
        return escaped(text, "\n\t");
    }

    /// JSON with every such character as an escape of JSON; it means what it meant.
    public static String json(String json) {
        StringBuilder out = new StringBuilder(json.length());
        json.chars()
                .forEach(c -> {
                    if (harmful(c) && c != '\n') {
                        out.append("\\u").append(hex(c, 4));
                    } else {
                        out.append((char) c);
                    }
                });
        return out.toString();
    }

    /// At most `length` characters, the last of them `...` if something was cut off.
    public static String cut(String text, int length) {
        if (text.length() <= length) {
            return text;
        }
        int end = length - 3;
        return text.substring(0, Character.isHighSurrogate(text.charAt(end - 1)) ? end - 1 : end)
                + "...";
    }

    private static String escaped(String text, String kept) {
        StringBuilder out = new StringBuilder(text.length());
        text.chars()
                .forEach(c -> {
                    if (!harmful(c) || kept.indexOf(c) >= 0) {
                        out.append((char) c);
                    } else if (NAMED.indexOf(c) >= 0) {
                        out.append('\\').append(LETTERS.charAt(NAMED.indexOf(c)));
                    } else if (c < 0x100) {
                        out.append("\\x").append(hex(c, 2));
                    } else {
                        out.append("\\u").append(hex(c, 4));
                    }
                });
        return out.toString();
    }

    private static String hex(int c, int digits) {
        return HexFormat.of().toHexDigits(c, digits);
    }

    /// C0, DEL and C1 of ECMA-48, the line and paragraph separators, and what Unicode has to turn
    /// the direction of writing (UAX 9).
    private static boolean harmful(int c) {
        return c < 0x20
                || (c >= 0x7f && c < 0xa0)
                || (c >= 0x200e && c <= 0x200f)
                || c == 0x061c
                || (c >= 0x2028 && c <= 0x202e)
                || (c >= 0x2066 && c <= 0x2069);
    }
}
