package dev.glovebox.worker.glob;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;

/// Turns one segment of a glob into a regular expression for a whole name.
final class SegmentRegex {
    private static final String GROUPS = "?*+@!";
    private static final String NOT = "not";
    private static final int MAX_DEPTH = 16;
    private static final Map<String, String> CLASSES =
            Map.of(
                    "alpha", "\\p{IsAlphabetic}",
                    "digit", "\\p{IsDigit}",
                    "alnum", "\\p{IsAlphabetic}\\p{IsDigit}",
                    "upper", "\\p{IsUppercase}",
                    "lower", "\\p{IsLowercase}",
                    "space", "\\s",
                    "punct", "\\p{IsPunctuation}",
                    "xdigit", "0-9a-fA-F");

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
            translation.closeGroup();
        }
        return translation.regex.toString();
    }

    private void next() {
        char c = glob.charAt(at);
        if (ends.size() > MAX_DEPTH) {
            throw new PatternException("groups nested deeper than " + MAX_DEPTH);
        }
        if (GROUPS.indexOf(c) >= 0 && at + 1 < glob.length() && glob.charAt(at + 1) == '(') {
            regex.append(c == '!' ? "(?!(?:" : "(?:");
            ends.push(
                    switch (c) {
                        case '!' -> NOT;
                        case '?' -> ")?";
                        case '*' -> ")*";
                        case '+' -> ")+";
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
            case ')' -> closeGroup();
            default -> literal(c);
        }
    }

    /// `!(x)rest` is any name but one of `x` and `rest`, so the look-ahead needs the rest too.
    private void closeGroup() {
        String end = ends.isEmpty() ? "\\)" : ends.pop();
        if (end.equals(NOT)) {
            regex.append(')').append(ends.isEmpty() ? of(glob.substring(at)) : "");
            regex.append("$)[^/]*?");
        } else {
            regex.append(end);
        }
    }

    private void set() {
        boolean not = at < glob.length() && (glob.charAt(at) == '!' || glob.charAt(at) == '^');
        int first = not ? at + 1 : at;
        int close = setEnd(first);
        if (close < 0) {
            regex.append("\\[");
            return;
        }
        regex.append(not ? "[^/" : "[");
        for (int i = first; i < close; i++) {
            char c = glob.charAt(i);
            int end = glob.startsWith("[:", i) ? glob.indexOf(":]", i) : -1;
            if (end > 0 && CLASSES.containsKey(glob.substring(i + 2, end))) {
                regex.append(CLASSES.get(glob.substring(i + 2, end)));
                i = end + 1;
            } else {
                boolean range = c == '-' && i > first && i < close - 1;
                regex.append(range || Character.isLetterOrDigit(c) ? "" : "\\").append(c);
            }
        }
        regex.append(']');
        at = close + 1;
    }

    /// Where a set ends: at the first `]` that is neither its first character nor the end of a
    /// class.
    private int setEnd(int first) {
        for (int i = first; i < glob.length(); i++) {
            int end = glob.startsWith("[:", i) ? glob.indexOf(":]", i) : -1;
            if (end > 0) {
                i = end + 1;
            } else if (glob.charAt(i) == ']' && i > first) {
                return i;
            }
        }
        return -1;
    }

    private void literal(char c) {
        if (!Character.isLetterOrDigit(c) && c < 128) {
            regex.append('\\');
        }
        regex.append(c);
    }
}
