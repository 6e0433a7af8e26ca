package dev.glovebox.protocol.egress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.egress.credential.CredentialUse;
import dev.glovebox.protocol.egress.request.CanonicalPath;
import dev.glovebox.protocol.egress.request.RequestLine;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// `default: learn`: what passes for want of a rule, and what does not for all that.
class LearnTest {
    private static final String RULES =
            """
            rules:
              - {name: never, host: evil.test, ports: ["1-65535"], action: deny}
              - {name: no-post, host: forge.test, protocol: https, methods: [POST], action: deny}
              - {name: read, host: api.test, protocol: https, methods: [GET], paths: ["/v1/**"], action: allow}
              - {name: raw, host: raw.test, port: 7000, protocol: tcp, action: allow}
              - {name: asked, host: ask.test, action: ask}
              - {name: block, cidr: 198.51.100.0/24, ports: ["1-65535"], action: deny}
            """;
    private static final EgressPolicy LEARNS = EgressPolicy.parse("default: learn\n" + RULES);
    private static final EgressPolicy DENIES = EgressPolicy.parse("default: deny\n" + RULES);

    @ParameterizedTest
    @CsvSource({
        "new.test, 443, LEARN, TLS",
        "new.test, 80, LEARN, HTTP",
        "new.test, 8443, LEARN, TCP",
        "203.0.113.7, 22, LEARN, TCP",
        "2001:db8::7, 443, LEARN, TLS",
        "raw.test, 7001, LEARN, TCP",
        "forge.test, 443, LEARN, HTTPS",
    })
    void whatNoRuleSpeaksOf_passesToPublicPlaces(
            String host, int port, Decision.Verdict verdict, Protocol protocol) {
        Destination to = new Destination(Host.parse(host), port);
        Decision decision = LEARNS.decide(to);
        assertThat(decision.verdict()).isEqualTo(verdict);
        assertThat(decision.ruleName()).isEqualTo("-");
        assertThat(decision.rule().orElseThrow().protocol()).isEqualTo(protocol);
        assertThat(DENIES.decide(to).allowed()).as("the same without learning").isFalse();
    }

    /// Rules that deny, private and metadata addresses, the sandbox itself, the worker's own
    /// network by names of one label, name servers.
    @ParameterizedTest
    @CsvSource({
        "evil.test, 443, DENY",
        "evil.test, 9999, DENY",
        "198.51.100.9, 443, DENY",
        "ask.test, 443, ASK",
        "10.0.0.5, 443, DENY",
        "192.168.1.1, 80, DENY",
        "100.64.0.1, 80, DENY",
        "127.0.0.1, 80, DENY",
        "169.254.169.254, 80, DENY",
        "168.63.129.16, 80, DENY",
        "fd00:ec2::254, 80, DENY",
        "fe80::1, 80, DENY",
        "'64:ff9b::a00:5', 80, DENY",
        "198.18.0.7, 80, DENY",
        "224.0.0.1, 80, DENY",
        "localhost, 80, DENY",
        "a.localhost, 80, DENY",
        "intranet, 443, DENY",
        "203.0.113.7, 53, DENY",
    })
    void whatIsDenied_staysDenied(String host, int port, Decision.Verdict verdict) {
        assertThat(LEARNS.decide(new Destination(Host.parse(host), port)).verdict())
                .isEqualTo(verdict);
    }

    @ParameterizedTest
    @CsvSource({
        "api.test, GET, /v1/a, ALLOW, read",
        "api.test, POST, /v2, LEARN, -",
        "api.test, TRACE, /v2, DENY, -",
        "forge.test, GET, /a, LEARN, -",
        "forge.test, POST, /a, DENY, no-post",
    })
    void requestsThatNoRuleSpeaksOf_pass_andThoseThatRulesDenyDoNot(
            String host, String method, String path, Decision.Verdict verdict, String rule) {
        Destination to = new Destination(HostName.parse(host), 443);
        RequestLine line = new RequestLine(method, CanonicalPath.of(path), false);
        Decision decision = LEARNS.decide(to, line);
        assertThat(decision.verdict()).isEqualTo(verdict);
        assertThat(decision.rule().map(EgressRule::name).orElse("-"))
                .isEqualTo(verdict == Decision.Verdict.DENY && rule.equals("-") ? "read" : rule);
    }

    /// What is learned is nobody's rule, so no credential goes with it.
    @Test
    void noCredentialGoesWithWhatIsLearned() {
        EgressPolicy policy =
                EgressPolicy.parse(
                        """
                        default: learn
                        rules:
                          - {name: api, host: api.test, protocol: https, methods: [GET], credential: key, action: allow}
                        credentials: [{name: key, source: {env: KEY}}]
                        """);
        Destination to = new Destination(HostName.parse("api.test"), 443);
        RequestLine get = new RequestLine("GET", CanonicalPath.of("/"), false);
        RequestLine post = new RequestLine("POST", CanonicalPath.of("/"), false);
        assertThat(credential(policy, policy.decide(to, get))).isPresent();
        assertThat(policy.decide(to, post).verdict()).isEqualTo(Decision.Verdict.LEARN);
        assertThat(credential(policy, policy.decide(to, post))).isEmpty();
    }

    private static Optional<?> credential(EgressPolicy policy, Decision decision) {
        return policy.credentialOf(decision.rule().orElseThrow());
    }

    @Test
    void aLearnedName_isDialledAtPublicAddressesOnly() {
        EgressRule learned =
                LEARNS.decide(new Destination(HostName.parse("new.test"), 443))
                        .rule()
                        .orElseThrow();
        assertThat(learned.mayDial(HostAddress.parse("203.0.113.7").address())).isTrue();
        for (String inner : List.of("10.0.0.5", "127.0.0.1", "169.254.169.254", "fd00::1")) {
            assertThat(learned.mayDial(HostAddress.parse(inner).address())).as(inner).isFalse();
        }
        EgressRule address =
                LEARNS.decide(new Destination(HostAddress.parse("203.0.113.7"), 9))
                        .rule()
                        .orElseThrow();
        assertThat(address.names(HostAddress.parse("203.0.113.7").address()))
                .as("it is nobody's word that an address of the worker itself may be dialled")
                .isFalse();
    }

    @Test
    void knows_everyNameThatSomePortOfMayPass() {
        assertThat(LEARNS.knows(HostName.parse("new.test"))).isTrue();
        assertThat(LEARNS.knows(HostName.parse("raw.test"))).isTrue();
        assertThat(LEARNS.knows(HostName.parse("evil.test"))).isFalse();
        assertThat(LEARNS.knows(HostName.parse("intranet"))).isFalse();
        assertThat(LEARNS.knows(HostName.parse("x.localhost"))).isFalse();
        assertThat(DENIES.knows(HostName.parse("new.test"))).isFalse();
    }

    @Test
    void rulesFor_saysWhenLearningBeganOrEnded() {
        Destination to = new Destination(HostName.parse("api.test"), 443);
        assertThat(LEARNS.rulesFor(to)).isNotEqualTo(DENIES.rulesFor(to));
        Destination raw = new Destination(HostName.parse("raw.test"), 7000);
        assertThat(LEARNS.rulesFor(raw)).isEqualTo(DENIES.rulesFor(raw));
    }

    /// A session that wants less than its operator allows is given nothing that is only learned.
    @Test
    void networkingThatIsLimited_learnsNothing() {
        EgressPolicy limited =
                Networking.of(
                                Json.tree(
                                        "{\"type\":\"limited\",\"allowed_hosts\":[\"raw.test\",\"new.test\"]}"))
                        .within(LEARNS);
        assertThat(limited.decide(new Destination(HostName.parse("raw.test"), 7000)).allowed())
                .isTrue();
        assertThat(limited.decide(new Destination(HostName.parse("new.test"), 443)).allowed())
                .isFalse();
        assertThat(
                        Networking.of(Json.tree("{\"type\":\"unrestricted\"}"))
                                .within(LEARNS)
                                .decide(new Destination(HostName.parse("new.test"), 443))
                                .verdict())
                .isEqualTo(Decision.Verdict.LEARN);
    }

    /// An empty or broken default never means that everything may pass (D3).
    @ParameterizedTest
    @ValueSource(
            strings = {
                "allow",
                "audit",
                "ask",
                "LEARN",
                "Learn",
                "learn ",
                "'learn '",
                "''",
                "true",
                "1",
                "null",
                "[learn]",
                "{learn: true}",
                "'*'"
            })
    void anyOtherDefault_isRefusedOrDenies(String value) {
        String text = "default: " + value + "\nrules: []";
        if (value.equals("learn ")) {
            assertThat(EgressPolicy.parse(text).fallback()).isEqualTo(EgressPolicy.Fallback.LEARN);
            return;
        }
        assertThatThrownBy(() -> EgressPolicy.parse(text))
                .isInstanceOf(PolicyException.class)
                .hasMessageContaining("default");
        assertThat(EgressPolicy.parse("default: deny")).isEqualTo(EgressPolicy.DENY_ALL);
    }

    @Test
    void learnIsNoActionOfARule() {
        for (String name : List.of("r", "'-'")) {
            assertThatThrownBy(() ->
                            EgressPolicy.parse(
                                    "rules: [{name: " + name + ", host: a.test, action: learn}]"))
                    .isInstanceOf(PolicyException.class)
                    .hasMessageContaining("\"learn\" is not one of allow, deny, audit, ask");
        }
        EgressRule learned =
                LEARNS.decide(new Destination(HostName.parse("new.test"), 443))
                        .rule()
                        .orElseThrow();
        assertThatThrownBy(() -> new EgressPolicy(List.of(learned), List.of()))
                .isInstanceOf(PolicyException.class);
        assertThatThrownBy(() ->
                        new EgressRule(
                                "r",
                                learned.target(),
                                Protocol.HTTPS,
                                Decision.Verdict.LEARN,
                                Optional.empty(),
                                Optional.empty(),
                                Optional.of(new CredentialUse("key", false)),
                                Optional.empty()))
                .isInstanceOf(PolicyException.class);
    }

    @Test
    void explain_saysThatItIsLearned() {
        assertThat(LEARNS.explain("https://new.test/").line())
                .startsWith("learn ")
                .contains("rule=-");
        assertThat(LEARNS.explain("http://10.0.0.5/").line()).startsWith("deny ");
    }
}
