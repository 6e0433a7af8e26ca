package dev.glovebox.protocol.egress.request;

import dev.glovebox.protocol.egress.PolicyException;
import dev.glovebox.protocol.egress.Protocol;
import dev.glovebox.protocol.egress.Quoted;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/// Which requests a rule speaks of.
///
/// @param methods in upper case; empty: any but CONNECT and TRACE
/// @param paths empty: any
/// @param webSocket whether requests that become web sockets are meant too
public record RequestTerms(Set<String> methods, List<PathPattern> paths, boolean webSocket) {
    /// Any request that does not become a web socket.
    public static final RequestTerms ANY = new RequestTerms(Set.of(), List.of(), false);

    private static final Pattern METHOD = Pattern.compile("[A-Z][A-Z0-9._-]{0,31}");
    private static final Set<String> NEVER = Set.of("CONNECT", "TRACE");

    public RequestTerms {
        methods = Set.copyOf(methods);
        paths = List.copyOf(paths);
        List<String> problems = new ArrayList<>();
        for (String method : methods) {
            if (!METHOD.matcher(method).matches()) {
                problems.add("method " + Quoted.of(method) + " is not a method in upper case");
            } else if (NEVER.contains(method)) {
                problems.add("method " + method + " is never passed on");
            }
        }
        if (!problems.isEmpty()) {
            throw new PolicyException(problems);
        }
    }

    /// Why these terms have no meaning where the door only logs in; empty if they have one.
    public Optional<String> faultOn(Protocol protocol) {
        return SpokenTerms.fault(protocol, this);
    }

    /// Whether a request of this method to this path is meant; web sockets aside.
    public boolean names(RequestLine line) {
        boolean method =
                methods.isEmpty()
                        ? !NEVER.contains(line.method())
                        : methods.contains(line.method());
        return method
                && (paths.isEmpty() || paths.stream().anyMatch(path -> path.matches(line.path())));
    }

    /// Whether the request is meant.
    public boolean fits(RequestLine line) {
        return names(line) && (webSocket || !line.webSocket());
    }
}
