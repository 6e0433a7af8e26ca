package dev.glovebox.egress.http;

import dev.glovebox.protocol.egress.Decision;
import dev.glovebox.protocol.egress.Destination;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.EgressRule;
import dev.glovebox.protocol.egress.PolicyException;
import dev.glovebox.protocol.egress.request.CanonicalPath;
import dev.glovebox.protocol.egress.request.RequestLine;
import io.netty.handler.codec.http.HttpRequest;
import java.util.Optional;

/// What becomes of one HTTP request on an allowed connection.
public sealed interface Judged {
    /// It goes on.
    ///
    /// @param rule that allows it
    record Passes(EgressRule rule) implements Judged {}

    /// It does not.
    ///
    /// @param fault what it is answered with
    record Refused(HttpMessages.Fault fault) implements Judged {}

    /// Sees whether it is a request, means the destination, and is one that the policy allows;
    /// writes its target in the form that was judged.
    ///
    /// @param secure whether it came over TLS
    static Judged of(
            HttpRequest request, EgressPolicy policy, Destination destination, boolean secure) {
        Optional<HttpMessages.Fault> fault = HttpMessages.fault(request, destination, secure);
        if (fault.isPresent()) {
            return new Refused(fault.get());
        }
        CanonicalPath path;
        try {
            path = CanonicalPath.of(request.uri());
        } catch (PolicyException e) {
            return new Refused(new HttpMessages.Fault(400, e.problems().getFirst()));
        }
        request.setUri(path.text());
        boolean webSocket = HttpMessages.isWebSocket(request);
        Decision decision =
                policy.decide(
                        destination, new RequestLine(request.method().name(), path, webSocket));
        return decision.allowed()
                ? new Passes(decision.rule().orElseThrow())
                : new Refused(new HttpMessages.Fault(403, decision.reason()));
    }
}
