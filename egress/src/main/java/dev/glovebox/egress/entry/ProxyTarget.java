package dev.glovebox.egress.entry;

import dev.glovebox.protocol.egress.Host;
import dev.glovebox.protocol.egress.PolicyException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Where the request line of a proxy request wants to go (RFC 9112 §3.2). Pure.
///
/// There are two forms: `HOST:PORT` of a CONNECT, and `http://HOST[:PORT]/...` of any other method.
/// Everything else is refused, never repaired: a userinfo, a fragment, a port with a leading zero,
/// another scheme. A host is read by the strict grammar of [Host] alone.
sealed interface ProxyTarget {
    /// A destination.
    ///
    /// @param path what is asked for there, in origin form; empty for a tunnel
    record Found(Host host, int port, String path) implements ProxyTarget {}

    /// Nothing that is served.
    ///
    /// @param reason one line for people
    record Refused(String reason) implements ProxyTarget {}

    /// Longest host: a name of 253 characters, or an address in brackets.
    int MAX_HOST = 255;

    int HTTP_PORT = 80;
    String SCHEME = "http://";
    Pattern ANY_SCHEME = Pattern.compile("[A-Za-z][A-Za-z0-9+.-]*://.*");
    Pattern AUTHORITY = Pattern.compile("([^:\\[\\]]+|\\[[^\\[\\]]+])(?::([1-9][0-9]{0,4}))?");

    /// Reads the target of a CONNECT.
    static ProxyTarget ofConnect(String target) {
        return authority(target, 0, "");
    }

    /// Reads the target of any other request.
    static ProxyTarget ofRequest(String target) {
        if (!target.startsWith(SCHEME)) {
            return new Refused(
                    ANY_SCHEME.matcher(target).matches()
                            ? "only URLs that begin with http:// are asked for in the clear; for"
                                    + " others there is CONNECT"
                            : "the request target is no URL with a host");
        }
        String rest = target.substring(SCHEME.length());
        if (!rest.chars().allMatch(c -> c > ' ' && c < 0x7f && c != '#' && c != '\\')) {
            return new Refused("the request target has a character that no URL has");
        }
        int end = end(rest);
        String path = rest.substring(end);
        return authority(
                rest.substring(0, end), HTTP_PORT, path.startsWith("/") ? path : "/" + path);
    }

    private static int end(String rest) {
        for (int i = 0; i < rest.length(); i++) {
            if (rest.charAt(i) == '/' || rest.charAt(i) == '?') {
                return i;
            }
        }
        return rest.length();
    }

    /// @param usual port, where none need be there; 0 = one must
    private static ProxyTarget authority(String text, int usual, String path) {
        Matcher matcher = AUTHORITY.matcher(text);
        if (text.length() > MAX_HOST + 6 || !matcher.matches()) {
            return new Refused("the request target is not a host and a port");
        }
        String digits = matcher.group(2);
        if (digits == null && usual == 0) {
            return new Refused("the request target has no port");
        }
        int port = digits == null ? usual : Integer.parseInt(digits);
        if (port > 0xffff) {
            return new Refused("the port is above 65535");
        }
        try {
            return new Found(Host.parse(matcher.group(1)), port, path);
        } catch (PolicyException e) {
            return new Refused(e.problems().getFirst());
        }
    }
}
