package dev.glovebox.protocol.egress;

import dev.glovebox.protocol.egress.request.CanonicalPath;
import dev.glovebox.protocol.egress.request.RequestLine;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;

/// The policy's answer to one request, or one connection.
///
/// @param method of the request
/// @param url as asked
/// @param decision verdict, rule, reason
public record Explanation(String method, String url, Decision decision) {

    static Explanation of(EgressPolicy policy, String method, String url) {
        return new Explanation(method, url, decide(policy, method, url));
    }

    private static Decision decide(EgressPolicy policy, String method, String url) {
        try {
            URI uri = new URI(url);
            String scheme = String.valueOf(uri.getScheme()).toLowerCase(Locale.ROOT);
            Protocol spoken = spoken(scheme);
            if (uri.getHost() == null || (uri.getRawUserInfo() != null && spoken.seesRequests())) {
                return Decision.deny("the url has no plain host");
            }
            int port = uri.getPort() >= 0 ? uri.getPort() : spoken.defaultPort().orElse(0);
            Destination destination = new Destination(Host.parse(uri.getHost()), port);
            Decision decision = policy.decide(destination);
            if (!decision.allowed() || !passes(decision.rule().orElseThrow(), spoken)) {
                return decision.allowed() ? speaking(decision) : decision;
            }
            return decision.rule().orElseThrow().protocol().seesRequests()
                    ? policy.decide(destination, line(method, uri, scheme.startsWith("ws")))
                    : decision;
        } catch (URISyntaxException e) {
            return Decision.deny("the url cannot be read: " + e.getReason());
        } catch (PolicyException e) {
            return Decision.deny(e.problems().getFirst());
        }
    }

    private static RequestLine line(String method, URI uri, boolean webSocket) {
        String path = uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
        String query = uri.getRawQuery() == null ? "" : "?" + uri.getRawQuery();
        return new RequestLine(method, CanonicalPath.of(path + query), webSocket);
    }

    private static Protocol spoken(String scheme) {
        return switch (scheme) {
            case "https", "wss" -> Protocol.HTTPS;
            case "http", "ws" -> Protocol.HTTP;
            case "ssh" -> Protocol.SSH;
            case "postgres", "postgresql" -> Protocol.POSTGRES;
            case "redis" -> Protocol.REDIS;
            case "tcp" -> Protocol.TCP;
            default ->
                    throw new PolicyException(
                            "the url is not http, https, ws, wss, ssh, postgres, redis or tcp");
        };
    }

    private static boolean passes(EgressRule rule, Protocol spoken) {
        return rule.protocol() == Protocol.TCP
                || rule.protocol() == spoken
                || (rule.protocol() == Protocol.TLS && spoken == Protocol.HTTPS);
    }

    private static Decision speaking(Decision decision) {
        EgressRule rule = decision.rule().orElseThrow();
        return Decision.deny(
                rule, "rule \"" + rule.name() + "\" passes only " + rule.protocol().text());
    }

    /// One line: verdict, URL, rule, reason.
    public String line() {
        return String.format(Locale.ROOT, "%-5s ", decision.verdict().text())
                + (method.equals("GET") ? "" : method + " ")
                + url
                + "  rule="
                + decision.ruleName()
                + "  "
                + decision.reason();
    }
}
