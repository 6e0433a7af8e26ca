package dev.glovebox.worker.glob;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/// A glob without braces, cut into its path segments.
///
/// The dialect is that of Node's `fs.glob` (minimatch): `*` and `?` stay within a name and match no
/// leading dot, `**` alone in a segment is any depth without names that start with a dot, `[...]`
/// with `!` or `^`, extended groups `?(a|b)` `*(..)` `+(..)` `@(..)` `!(..)`; a backslash is a
/// slash. A segment without magic is compared as text.
public record GlobPattern(List<Segment> segments) {
    private static final int MAX_ALTERNATIVES = 1024;
    private static final int MAX_LENGTH = 4096;

    /// One name in a path.
    public sealed interface Segment {
        /// Whether a name of a directory entry is meant.
        boolean matches(String name);
    }

    /// A name as it is.
    public record Literal(String text) implements Segment {
        @Override
        public boolean matches(String name) {
            return text.equals(name);
        }
    }

    /// A name with magic.
    public record Magic(Pattern regex, boolean dots) implements Segment {
        @Override
        public boolean matches(String name) {
            return (dots || !name.startsWith("."))
                    && regex.matcher(new BoundedText(name)).matches();
        }
    }

    /// `**`.
    public record AnyDepth() implements Segment {
        @Override
        public boolean matches(String name) {
            return !name.startsWith(".");
        }
    }

    /// Every pattern that a glob with braces stands for.
    ///
    /// @throws PatternException for one that stands for more than 1024 or is longer than 4096
    ///   characters
    public static List<GlobPattern> parse(String glob) {
        if (glob.length() > MAX_LENGTH) {
            throw new PatternException("pattern is longer than " + MAX_LENGTH + " characters");
        }
        List<String> plain = new ArrayList<>();
        BraceExpansion.expand(glob.replace('\\', '/'), MAX_ALTERNATIVES, plain);
        return plain.stream().map(GlobPattern::of).toList();
    }

    private static GlobPattern of(String glob) {
        List<Segment> segments = new ArrayList<>();
        String[] parts = glob.split("/", -1);
        for (int i = 0; i < parts.length; i++) {
            String part = parts[i];
            boolean again =
                    part.equals("**")
                            && !segments.isEmpty()
                            && segments.getLast() instanceof AnyDepth;
            boolean slash = part.isEmpty() && i < parts.length - 1;
            if (!part.equals(".") && !again && !slash) {
                segments.add(segment(part));
            }
        }
        return new GlobPattern(List.copyOf(segments));
    }

    private static Segment segment(String part) {
        if (part.equals("**")) {
            return new AnyDepth();
        }
        if (part.chars().noneMatch(c -> "*?[(".indexOf(c) >= 0)) {
            return new Literal(part);
        }
        try {
            return new Magic(
                    Pattern.compile(SegmentRegex.of(part), Pattern.DOTALL), part.startsWith("."));
        } catch (PatternSyntaxException _) {
            return new Literal(part);
        }
    }
}
