package dev.glovebox.protocol.egress.learn;

import dev.glovebox.protocol.egress.PolicyException;
import dev.glovebox.protocol.egress.request.CanonicalPath;
import dev.glovebox.protocol.egress.request.PathPattern;
import dev.glovebox.protocol.egress.request.RequestLine;
import dev.glovebox.protocol.egress.request.RequestTerms;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/// Says in few terms which requests were seen at one destination.
///
/// Up to [#FEW] paths stand as they are. More are put together by their first segment, and if even
/// those are too many, every path is meant.
final class Paths {
    private static final int FEW = 8;
    private static final int LONGEST = 512;
    private static final String REST = "/**";

    /// A method that a rule can name.
    private static final String NAMEABLE = "[A-Z][A-Z0-9._-]{0,31}";

    private Paths() {}

    /// Terms that fit every request, one for each set of methods that goes with some of the paths.
    static List<RequestTerms> terms(Collection<RequestLine> requests) {
        SortedSet<String> paths = new TreeSet<>();
        requests.forEach(line -> paths.add(line.path().path()));
        SortedMap<String, SortedSet<String>> methods = new TreeMap<>();
        for (RequestLine line : requests) {
            methods.computeIfAbsent(pattern(line.path().path(), paths), _ -> new TreeSet<>())
                    .add(line.method());
        }
        SortedMap<String, List<PathPattern>> patterns = new TreeMap<>();
        List<RequestTerms> terms = new ArrayList<>();
        methods.forEach((pattern, set) -> {
            if (pattern.isEmpty()) {
                terms.add(new RequestTerms(named(words(set)), List.of(), false));
            } else {
                patterns.computeIfAbsent(words(set), _ -> new ArrayList<>())
                        .add(new PathPattern(pattern));
            }
        });
        patterns.forEach((words, all) -> terms.add(new RequestTerms(named(words), all, false)));
        return terms;
    }

    /// The methods in one text; empty for any, if a rule cannot name one of them.
    private static String words(SortedSet<String> methods) {
        return methods.stream().allMatch(each -> each.matches(NAMEABLE))
                ? String.join(" ", methods)
                : "";
    }

    private static Set<String> named(String words) {
        return words.isEmpty() ? Set.of() : Set.of(words.split(" ", -1));
    }

    /// The pattern that stands for a path among others; empty if none fits it.
    private static String pattern(String path, SortedSet<String> all) {
        if (!path.startsWith("/")) {
            return "";
        }
        if (all.size() <= FEW && path.length() <= LONGEST) {
            return exactly(path).orElseGet(() -> below(path));
        }
        long heads = all.stream().map(Paths::head).distinct().count();
        if (heads > FEW || head(path).length() > LONGEST) {
            return REST;
        }
        boolean alone = all.stream().filter(one -> head(one).equals(head(path))).count() == 1;
        boolean whole = path.indexOf('/', 1) < 0;
        return (alone || whole) && path.length() <= LONGEST
                ? exactly(path).orElseGet(() -> below(path))
                : below(path);
    }

    /// The pattern that means this path alone: a `*` in it is the sign and stands for nothing else.
    private static Optional<String> exactly(String path) {
        String pattern = path.replace("*", "%2A");
        try {
            return new PathPattern(pattern).matches(CanonicalPath.of(path))
                    ? Optional.of(pattern)
                    : Optional.empty();
        } catch (PolicyException e) {
            return Optional.empty();
        }
    }

    /// Everything below the first segment, if a pattern can name that.
    private static String below(String path) {
        return path.indexOf('/', 1) < 0
                ? REST
                : exactly(head(path)).map(head -> head + REST).orElse(REST);
    }

    private static String head(String path) {
        int second = path.indexOf('/', 1);
        return second < 0 ? path : path.substring(0, second);
    }
}
