package dev.glovebox.protocol.egress;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;

/// The policy's answer to one URL.
///
/// @param url as asked
/// @param decision allow or deny, rule, reason
public record Explanation(String url, Decision decision) {

    static Explanation of(EgressPolicy policy, String url) {
        return new Explanation(url, decide(policy, url));
    }

    private static Decision decide(EgressPolicy policy, String url) {
        try {
            URI uri = new URI(url);
            Protocol spoken = spoken(String.valueOf(uri.getScheme()));
            if (uri.getHost() == null || uri.getRawUserInfo() != null) {
                return Decision.deny("the url has no plain host");
            }
            int port = uri.getPort() >= 0 ? uri.getPort() : spoken.defaultPort().orElse(0);
            Decision decision = policy.decide(new Destination(Host.parse(uri.getHost()), port));
            return decision.allowed() ? speaking(decision, spoken) : decision;
        } catch (URISyntaxException e) {
            return Decision.deny("the url cannot be read: " + e.getReason());
        } catch (PolicyException e) {
            return Decision.deny(e.problems().getFirst());
        }
    }

    private static Protocol spoken(String scheme) {
        return switch (scheme.toLowerCase(Locale.ROOT)) {
            case "https" -> Protocol.TLS;
            case "http" -> Protocol.HTTP;
            case "tcp" -> Protocol.TCP;
            default -> throw new PolicyException("the url is not http, https or tcp");
        };
    }

    private static Decision speaking(Decision decision, Protocol spoken) {
        EgressRule rule = decision.rule().orElseThrow();
        return rule.protocol() == Protocol.TCP || rule.protocol() == spoken
                ? decision
                : Decision.deny(
                        rule, "rule \"" + rule.name() + "\" passes only " + rule.protocol().text());
    }

    /// One line: verdict, URL, rule, reason.
    public String line() {
        return (decision.allowed() ? "allow " : "deny  ")
                + url
                + "  rule="
                + decision.ruleName()
                + "  "
                + decision.reason();
    }
}
