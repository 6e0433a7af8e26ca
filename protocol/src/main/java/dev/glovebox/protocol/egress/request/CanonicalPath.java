package dev.glovebox.protocol.egress.request;

import dev.glovebox.protocol.egress.PolicyException;
import dev.glovebox.protocol.egress.Quoted;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/// Where a request goes on its host, in the one form that is judged and sent.
///
/// Programs differ in how they read a path: some decode before they split, some decode twice, some
/// drop what follows a `;`, some merge slashes, some take a backslash for a slash. A rule about
/// `/public/**` is worth nothing if the server behind reads `/public/..%2fsecret` as `/secret`. So
/// a path that two programs could read in two ways is refused, and one that is merely written in an
/// unusual way (RFC 3986 §6.2.2: escapes of letters, lower-case hex digits) is written anew:
///
/// - an escape of a letter, a digit or one of `-._~` becomes that character,
/// - every other escape has upper-case digits, and what may not stand in a path is escaped,
/// - refused are: no leading `/`, segments `.` and `..` and empty ones however written, escaped
///   slashes, backslashes and control bytes, `;`, `\` and `#`, a `%` that begins no escape, an
///   escaped `%` before two hex digits (a second decoding would change it), bytes that are no
///   UTF-8.
///
/// The query stays as it is, within printable ASCII. `*` alone (RFC 9112 §3.2.4) is its own
/// canonical form and fits no path pattern.
///
/// @param path the canonical path without its query
/// @param query what follows the first `?`
public record CanonicalPath(String path, Optional<String> query) {
    /// Longest path, and longest query, that is read.
    static final int MAX_LENGTH = 16 * 1024;

    private static final String UNRESERVED_MARKS = "-._~";
    private static final String OTHERS = "!$&'()*+,=:@";
    private static final String HEX = "0123456789ABCDEF";

    public CanonicalPath {
        if (!path.equals(canonical(path))) {
            throw new PolicyException("path " + Quoted.of(path) + " is not canonical");
        }
        query.ifPresent(CanonicalPath::checkQuery);
        if (path.equals("*") && query.isPresent()) {
            throw refused(path, "it has a query");
        }
    }

    /// Reads the target of a request as it was sent.
    ///
    /// @throws PolicyException if it has no single meaning
    public static CanonicalPath of(String rawTarget) {
        int mark = rawTarget.indexOf('?');
        String path = mark < 0 ? rawTarget : rawTarget.substring(0, mark);
        return new CanonicalPath(
                canonical(path),
                mark < 0 ? Optional.empty() : Optional.of(rawTarget.substring(mark + 1)));
    }

    /// The target as it is sent on.
    public String text() {
        return query.map(q -> path + "?" + q).orElse(path);
    }

    @Override
    public String toString() {
        return text();
    }

    private static void checkQuery(String query) {
        if (query.length() > MAX_LENGTH
                || !query.chars().allMatch(c -> c > ' ' && c < 0x7f && c != '#' && c != '\\')) {
            throw new PolicyException("the query is not printable ASCII of at most " + MAX_LENGTH);
        }
    }

    private static String canonical(String path) {
        if (path.equals("*")) {
            return path;
        }
        if (!path.startsWith("/") || path.length() > MAX_LENGTH) {
            throw refused(path, "it does not begin with /, or is too long");
        }
        StringBuilder written = new StringBuilder();
        String[] segments = path.substring(1).split("/", -1);
        for (int i = 0; i < segments.length; i++) {
            String segment = segment(path, segments[i]);
            if (segment.equals(".") || segment.equals("..")) {
                throw refused(path, "it has a segment . or ..");
            }
            if (segment.isEmpty() && i < segments.length - 1) {
                throw refused(path, "it has an empty segment");
            }
            written.append('/').append(segment);
        }
        return written.toString();
    }

    private static String segment(String path, String raw) {
        ByteBuffer decoded = ByteBuffer.allocate(raw.length());
        StringBuilder written = new StringBuilder(raw.length());
        for (int i = 0; i < raw.length(); i++) {
            char c = raw.charAt(i);
            if (c <= ' ' || c >= 0x7f || c == ';' || c == '\\' || c == '#') {
                throw refused(path, "it has a character that servers read differently");
            }
            boolean escape = c == '%';
            byte value = escape ? escaped(path, raw, i) : (byte) c;
            i += escape ? 2 : 0;
            decoded.put(value);
            write(value & 0xff, escape, written);
        }
        check(path, decoded.flip(), written);
        return written.toString();
    }

    private static byte escaped(String path, String raw, int at) {
        if (!isHex(raw, at + 1)) {
            throw refused(path, "it has a % that begins no escape");
        }
        int value = Integer.parseInt(raw, at + 1, at + 3, 16);
        if (value < ' ' || value == 0x7f || value == '/' || value == '\\') {
            throw refused(path, "it has an escaped slash, backslash or control byte");
        }
        return (byte) value;
    }

    private static boolean isHex(CharSequence text, int at) {
        return at + 2 <= text.length() && isHex(text.charAt(at)) && isHex(text.charAt(at + 1));
    }

    private static boolean isHex(char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    }

    private static void write(int value, boolean escape, StringBuilder written) {
        if (isUnreserved(value) || (!escape && OTHERS.indexOf(value) >= 0)) {
            written.append((char) value);
        } else {
            written.append('%').append(HEX.charAt(value >> 4)).append(HEX.charAt(value & 15));
        }
    }

    private static boolean isUnreserved(int value) {
        return (value >= 'a' && value <= 'z')
                || (value >= 'A' && value <= 'Z')
                || (value >= '0' && value <= '9')
                || UNRESERVED_MARKS.indexOf(value) >= 0;
    }

    private static void check(String path, ByteBuffer decoded, StringBuilder written) {
        try {
            StandardCharsets.UTF_8.newDecoder().decode(decoded);
        } catch (CharacterCodingException e) {
            throw refused(path, "its escapes are not UTF-8");
        }
        for (int i = written.indexOf("%25"); i >= 0; i = written.indexOf("%25", i + 1)) {
            if (isHex(written, i + 3)) {
                throw refused(path, "it is escaped twice");
            }
        }
    }

    /// A segment as patterns compare it: an escaped `!`, `*` or the like is the sign itself,
    /// because that is what servers make of it.
    static String folded(String segment) {
        StringBuilder folded = new StringBuilder(segment.length());
        for (int i = 0; i < segment.length(); i++) {
            char c = segment.charAt(i);
            int value = c == '%' ? Integer.parseInt(segment, i + 1, i + 3, 16) : c;
            if (c == '%' && OTHERS.indexOf(value) < 0) {
                folded.append(c);
            } else {
                folded.append((char) value);
                i += c == '%' ? 2 : 0;
            }
        }
        return folded.toString();
    }

    private static PolicyException refused(String path, String fault) {
        return new PolicyException("path " + Quoted.of(path) + " has no single meaning: " + fault);
    }
}
