package dev.glovebox.worker.tool;

import java.util.ArrayDeque;
import java.util.Deque;

/// Turns one segment of a glob into a regular expression for a whole name.
final class SegmentRegex {
    private static final String GROUPS = "?*+@!";

    private final String glob;
    private final StringBuilder regex = new StringBuilder();
    private final Deque<String> ends = new ArrayDeque<>();
    private int at;

    private SegmentRegex(String glob) {
        this.glob = glob;
    }

    static String of(String glob) {
        SegmentRegex translation = new SegmentRegex(glob);
        while (translation.at < glob.length()) {
            translation.next();
        }
        while (!translation.ends.isEmpty()) {
            translation.regex.append(translation.ends.pop());
        }
        return translation.regex.toString();
    }

    private void next() {
        char c = glob.charAt(at);
        if (GROUPS.indexOf(c) >= 0 && at + 1 < glob.length() && glob.charAt(at + 1) == '(') {
            regex.append(c == '!' ? "(?!(?:" : "(?:");
            ends.push(
                    switch (c) {
                        case '?' -> ")?";
                        case '*' -> ")*";
                        case '+' -> ")+";
                        case '!' -> ")$)[^/]*?";
                        default -> ")";
                    });
            at += 2;
            return;
        }
        at++;
        switch (c) {
            case '*' -> regex.append("[^/]*?");
            case '?' -> regex.append("[^/]");
            case '[' -> set();
            case '|' -> regex.append(ends.isEmpty() ? "\\|" : "|");
            case ')' -> regex.append(ends.isEmpty() ? "\\)" : ends.pop());
            default -> literal(c);
        }
    }

    private void set() {
        boolean not = at < glob.length() && (glob.charAt(at) == '!' || glob.charAt(at) == '^');
        int first = not ? at + 1 : at;
        int close = glob.indexOf(']', first + 1);
        if (close < 0) {
            regex.append("\\[");
            return;
        }
        String inside = glob.substring(first, close);
        regex.append(not ? "[^/" : "[");
        for (int i = 0; i < inside.length(); i++) {
            char c = inside.charAt(i);
            boolean range = c == '-' && i > 0 && i < inside.length() - 1;
            regex.append(range || Character.isLetterOrDigit(c) ? "" : "\\").append(c);
        }
        regex.append(']');
        at = close + 1;
    }

    private void literal(char c) {
        if (!Character.isLetterOrDigit(c) && c < 128) {
            regex.append('\\');
        }
        regex.append(c);
    }
}
