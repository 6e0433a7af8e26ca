package dev.glovebox.protocol.egress;

/// Text that somebody else spelled, made fit for a one-line message.
public final class Quoted {
    private static final int MAX = 80;

    private Quoted() {}

    /// The text in quotes, every character that is not printable ASCII as its code, cut at 80.
    public static String of(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        text.chars()
                .limit(MAX)
                .forEach(c -> {
                    if (c >= ' ' && c < 0x7f && c != '"') {
                        quoted.append((char) c);
                    } else {
                        quoted.append("\\u{").append(Integer.toHexString(c)).append('}');
                    }
                });
        return quoted.append(text.length() > MAX ? "...\"" : "\"").toString();
    }
}
