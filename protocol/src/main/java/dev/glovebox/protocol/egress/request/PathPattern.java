package dev.glovebox.protocol.egress.request;

import dev.glovebox.protocol.egress.PolicyException;
import dev.glovebox.protocol.egress.Quoted;
import java.util.ArrayList;
import java.util.List;

/// Which paths: `/a/b` is one path, `*` stands for one whole segment, and `**` at the end for one
/// or more segments, the last of which may be empty. So `/a/**` means `/a/` and all below, not
/// `/a`.
///
/// Compared letter by letter with the canonical path; the query is not looked at.
///
/// @param text the spelling in a policy file
public record PathPattern(String text) {
    private static final String ONE = "*";
    private static final String REST = "**";

    public PathPattern {
        if (!text.startsWith("/") || text.length() > CanonicalPath.MAX_LENGTH) {
            throw fault(text, "it does not begin with /");
        }
        List<String> segments = segments(text);
        List<String> plain = new ArrayList<>();
        for (int i = 0; i < segments.size(); i++) {
            String segment = segments.get(i);
            if (segment.equals(REST) && i != segments.size() - 1) {
                throw fault(text, "** stands only at the end");
            }
            boolean star = segment.equals(ONE) || segment.equals(REST);
            if (!star && segment.contains("*")) {
                throw fault(text, "* stands only for a whole segment; write %2A for the sign");
            }
            plain.add(star ? "x" : segment);
        }
        canonical(text, "/" + String.join("/", plain));
    }

    private static void canonical(String text, String plain) {
        CanonicalPath path;
        try {
            path = CanonicalPath.of(plain);
        } catch (PolicyException e) {
            throw fault(text, e.problems().getFirst());
        }
        if (!path.text().equals(plain) || plain.contains("?")) {
            throw fault(
                    text,
                    plain.contains("?")
                            ? "a query is not looked at"
                            : "write it in the canonical form, such as " + Quoted.of(path.text()));
        }
    }

    private static PolicyException fault(String text, String fault) {
        return new PolicyException("path " + Quoted.of(text) + " cannot be used: " + fault);
    }

    private static List<String> segments(String path) {
        return List.of(path.substring(1).split("/", -1));
    }

    /// Whether the path is meant.
    public boolean matches(CanonicalPath path) {
        if (!path.path().startsWith("/")) {
            return false;
        }
        List<String> wanted = segments(text);
        List<String> given = segments(path.path());
        boolean open = wanted.getLast().equals(REST);
        int fixed = open ? wanted.size() - 1 : wanted.size();
        if (open ? given.size() < wanted.size() : given.size() != wanted.size()) {
            return false;
        }
        for (int i = 0; i < fixed; i++) {
            boolean same =
                    wanted.get(i).equals(ONE)
                            ? !given.get(i).isEmpty()
                            : CanonicalPath.folded(wanted.get(i))
                                    .equals(CanonicalPath.folded(given.get(i)));
            if (!same) {
                return false;
            }
        }
        return true;
    }

    @Override
    public String toString() {
        return text;
    }
}
