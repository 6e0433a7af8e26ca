package dev.glovebox.worker.glob;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// `a{b,c}d` becomes `abd` and `acd`, `{1..3}` becomes `1`, `2`, `3`; nested as in a shell. What is
/// no such group stays as it is.
final class BraceExpansion {
    private static final Pattern NUMBERS = Pattern.compile("(-?\\d{1,9})\\.\\.(-?\\d{1,9})");
    private static final Pattern LETTERS = Pattern.compile("([a-zA-Z])\\.\\.([a-zA-Z])");

    private BraceExpansion() {}

    /// @param into where the results go
    /// @throws PatternException when there are more than `limit`
    static void expand(String text, int limit, List<String> into) {
        int open = text.indexOf('{');
        while (open >= 0) {
            int close = closing(text, open);
            if (close > 0) {
                List<String> choices = choices(text.substring(open + 1, close), limit);
                if (!choices.isEmpty()) {
                    for (String choice : choices) {
                        String head = text.substring(0, open);
                        expand(head + choice + text.substring(close + 1), limit, into);
                    }
                    return;
                }
            }
            open = text.indexOf('{', open + 1);
        }
        if (into.size() >= limit) {
            throw new PatternException("pattern stands for more than " + limit + " patterns");
        }
        into.add(text);
    }

    private static List<String> choices(String inside, int limit) {
        Matcher numbers = NUMBERS.matcher(inside);
        if (numbers.matches()) {
            return range(
                            Integer.parseInt(numbers.group(1)),
                            Integer.parseInt(numbers.group(2)),
                            limit)
                    .stream()
                    .map(String::valueOf)
                    .toList();
        }
        Matcher letters = LETTERS.matcher(inside);
        if (letters.matches()) {
            return range(letters.group(1).charAt(0), letters.group(2).charAt(0), limit).stream()
                    .map(c -> String.valueOf((char) c.intValue()))
                    .toList();
        }
        List<String> parts = split(inside);
        return parts.size() > 1 ? parts : List.of();
    }

    private static List<Integer> range(int from, int to, int limit) {
        if (Math.abs((long) to - from) >= limit) {
            throw new PatternException("pattern stands for more than " + limit + " patterns");
        }
        List<Integer> values = new ArrayList<>();
        for (int value = from; from <= to ? value <= to : value >= to; ) {
            values.add(value);
            value += from <= to ? 1 : -1;
        }
        return values;
    }

    private static List<String> split(String inside) {
        List<String> parts = new ArrayList<>();
        int depth = 0;
        int start = 0;
        for (int i = 0; i < inside.length(); i++) {
            char c = inside.charAt(i);
            depth += c == '{' ? 1 : c == '}' ? -1 : 0;
            if (c == ',' && depth == 0) {
                parts.add(inside.substring(start, i));
                start = i + 1;
            }
        }
        parts.add(inside.substring(start));
        return parts;
    }

    private static int closing(String text, int open) {
        int depth = 0;
        for (int i = open; i < text.length(); i++) {
            char c = text.charAt(i);
            depth += c == '{' ? 1 : c == '}' ? -1 : 0;
            if (depth == 0) {
                return i;
            }
        }
        return -1;
    }
}
