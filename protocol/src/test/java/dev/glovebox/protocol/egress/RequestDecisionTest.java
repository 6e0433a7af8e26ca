package dev.glovebox.protocol.egress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.egress.request.CanonicalPath;
import dev.glovebox.protocol.egress.request.RequestLine;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RequestDecisionTest {
    private static final EgressPolicy POLICY =
            EgressPolicy.parse(
                    """
                    rules:
                      - {name: no-admin, host: api.test, protocol: https, paths: ["/admin/**"], action: deny}
                      - {name: read, host: api.test, protocol: https, methods: [GET, HEAD], paths: ["/v1/**"], action: allow}
                      - {name: write, host: api.test, protocol: https, methods: [POST], paths: ["/v1/issues"], action: audit}
                      - {name: live, host: api.test, protocol: https, paths: ["/socket"], websocket: true, action: allow}
                      - {name: plain, host: api.test, port: 443, protocol: http, action: allow}
                      - {name: rest, host: api.test, action: deny}
                      - {name: never, host: api.test, protocol: https, action: allow}
                      - {name: part, host: read.test, protocol: https, methods: [POST], action: deny}
                      - {name: through, host: read.test, action: allow}
                      - {name: only, host: deny.test, protocol: https, paths: [/x], action: deny}
                      - {name: asked, host: ask.test, action: ask}
                      - {name: any, host: any.test, protocol: https, action: allow}
                    """);

    @ParameterizedTest
    @CsvSource({
        "api.test, GET, /v1/a, false, ALLOW, read",
        "api.test, HEAD, /v1/a, false, ALLOW, read",
        "api.test, GET, /v1, false, DENY, rest",
        "api.test, get, /v1/a, false, DENY, rest",
        "api.test, POST, /v1/issues, false, AUDIT, write",
        "api.test, POST, /v1/other, false, DENY, rest",
        "api.test, GET, /admin/x, false, DENY, no-admin",
        "api.test, POST, /%61dmin/x, false, DENY, no-admin",
        "api.test, GET, /admin/x, true, DENY, no-admin",
        "api.test, GET, /socket, true, ALLOW, live",
        "api.test, GET, /v1/a, true, DENY, rest",
        "any.test, GET, /, false, ALLOW, any",
        "any.test, DELETE, /x, false, ALLOW, any",
        "any.test, OPTIONS, *, false, ALLOW, any",
        "any.test, GET, /, true, DENY, any",
        "any.test, TRACE, /, false, DENY, any",
        "any.test, CONNECT, /, false, DENY, any",
        "read.test, GET, /, false, DENY, part",
        "deny.test, GET, /y, false, DENY, -",
        "ask.test, GET, /, false, ASK, asked",
        "other.test, GET, /, false, DENY, -",
    })
    void decide_firstRuleThatSpeaksOfTheRequest(
            String host,
            String method,
            String path,
            boolean webSocket,
            Decision.Verdict verdict,
            String rule) {
        Decision decision =
                POLICY.decide(
                        new Destination(Host.parse(host), 443),
                        new RequestLine(method, CanonicalPath.of(path), webSocket));
        assertThat(decision.verdict()).isEqualTo(verdict);
        assertThat(decision.ruleName()).isEqualTo(rule);
        assertThat(decision.allowed())
                .isEqualTo(verdict == Decision.Verdict.ALLOW || verdict == Decision.Verdict.AUDIT);
    }

    @Test
    void decide_theFirstRuleThatIsNotAboutSomeRequestsOpensTheConnection() {
        Decision decision = POLICY.decide(new Destination(HostName.parse("api.test"), 443));
        assertThat(decision.ruleName()).isEqualTo("read");
        assertThat(decision.rule().orElseThrow().protocol()).isEqualTo(Protocol.HTTPS);
    }

    /// A rule that denies some requests must not be lost because a later one passes them unread.
    @Test
    void decide_requestsThatAreDeniedButWouldPassUnread_closeTheConnection() {
        Decision decision = POLICY.decide(new Destination(HostName.parse("read.test"), 443));
        assertThat(decision.allowed()).isFalse();
        assertThat(decision.reason())
                .contains("\"part\"")
                .contains("\"through\"")
                .contains("unread");
    }

    @Test
    void knows_aNameThatCouldBeApproved() {
        assertThat(POLICY.knows(HostName.parse("ask.test"))).isTrue();
        assertThat(POLICY.knows(HostName.parse("deny.test"))).isFalse();
        assertThat(POLICY.knows(HostName.parse("read.test"))).isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "GET | https://api.test/v1/a?x=1 | allow | read",
                "POST | https://api.test/v1/issues | audit | write",
                "POST | https://api.test/v1/a | deny | rest",
                "GET | https://api.test/admin/ | deny | no-admin",
                "GET | wss://api.test/socket | allow | live",
                "GET | https://api.test/v1/../admin/x | deny | -",
                "GET | https://ask.test/ | ask | asked",
                "GET | https://any.test | allow | any",
                "GET | ssh://git@any.test:443/ | deny | any",
            })
    void explain_judgesMethodAndPath(String method, String url, String verdict, String rule) {
        assertThat(POLICY.explain(method, url).line())
                .startsWith(verdict)
                .contains("  rule=" + rule + "  ");
    }

    @Test
    void rulesFor_aLaterRuleAboutTheSameDestinationCounts() {
        Destination destination = new Destination(HostName.parse("api.test"), 443);
        assertThat(POLICY.rulesFor(destination).stream().map(EgressRule::name))
                .containsExactly("no-admin", "read", "write", "live", "plain", "rest");
    }
}
