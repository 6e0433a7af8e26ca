package dev.glovebox.protocol.egress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EgressPolicyTest {
    private static final EgressPolicy POLICY =
            EgressPolicy.parse(
                    """
                    rules:
                      - {name: no-telemetry, host: telemetry.good.test, ports: ["1-65535"], protocol: tcp, action: deny}
                      - {name: site, host: good.test, action: allow}
                      - {name: children, host: "*.good.test", ports: [443, "8000-8010"], action: allow}
                      - {name: db, host: db.good.test, port: 5432, protocol: tcp, action: allow, connect: "10.0.0.5:5433"}
                      - {name: plain, host: api.test, protocol: http, action: allow, credential: key, insecure-credential: true}
                      - {name: block, cidr: 203.0.113.0/24, port: 443, action: allow}
                      - {name: everywhere, cidr: 0.0.0.0/0, port: 7000, protocol: tcp, action: allow}
                      - {name: intranet, host: 10.1.2.3, port: 7000, protocol: tcp, action: allow}
                      - {name: six, host: "2001:db8::10", action: allow}
                    credentials:
                      - {name: key, header: Authorization, format: "Bearer {}", source: {env: API_KEY}}
                    """);

    @ParameterizedTest
    @CsvSource({
        "good.test, 443, ALLOW, site",
        "good.test, 80, DENY, -",
        "good.test, 444, DENY, -",
        "a.good.test, 443, ALLOW, children",
        "a.good.test, 8005, ALLOW, children",
        "a.good.test, 8011, DENY, -",
        "a.b.good.test, 443, DENY, -",
        "evilgood.test, 443, DENY, -",
        "good.test.evil.test, 443, DENY, -",
        "telemetry.good.test, 443, DENY, no-telemetry",
        "db.good.test, 5432, ALLOW, db",
        "203.0.113.7, 443, ALLOW, block",
        "203.0.114.7, 443, DENY, -",
        "203.0.113.7, 80, DENY, -",
        "198.51.100.1, 7000, ALLOW, everywhere",
        "10.1.2.3, 7000, ALLOW, intranet",
        "10.1.2.4, 7000, DENY, -",
        "127.0.0.1, 7000, DENY, -",
        "169.254.169.254, 7000, DENY, -",
        "100.64.0.1, 7000, DENY, -",
        "2001:db8::10, 443, ALLOW, six",
        "[2001:DB8:0::10], 443, ALLOW, six",
        "2001:db8::11, 443, DENY, -",
    })
    void decide_firstRuleThatSpeaksOfTheDestination(
            String host, int port, Decision.Verdict verdict, String rule) {
        Decision decision = POLICY.decide(new Destination(Host.parse(host), port));
        assertThat(decision.verdict()).isEqualTo(verdict);
        assertThat(decision.ruleName()).isEqualTo(rule);
        assertThat(decision.reason()).isNotBlank();
    }

    @Test
    void knows_namesWithSomeAllowedPortOnly() {
        assertThat(POLICY.knows(HostName.parse("good.test"))).isTrue();
        assertThat(POLICY.knows(HostName.parse("a.good.test"))).isTrue();
        assertThat(POLICY.knows(HostName.parse("telemetry.good.test"))).isFalse();
        assertThat(POLICY.knows(HostName.parse("test"))).isFalse();
        assertThat(POLICY.knows(HostName.parse("secret.evil.test"))).isFalse();
    }

    @Test
    void knows_seesThroughADenyThatCoversOnlyTheFirstPorts() {
        EgressPolicy policy =
                EgressPolicy.parse(
                        """
                        rules:
                          - {name: low, host: a.test, ports: ["1-99"], protocol: tcp, action: deny}
                          - {name: rest, host: a.test, ports: ["1-200"], protocol: tcp, action: allow}
                        """);
        assertThat(policy.knows(HostName.parse("a.test"))).isTrue();
        assertThat(policy.decide(new Destination(HostName.parse("a.test"), 99)).allowed())
                .isFalse();
        assertThat(policy.decide(new Destination(HostName.parse("a.test"), 100)).allowed())
                .isTrue();
    }

    @Test
    void emptyPolicyDeniesEverything() {
        for (String text :
                new String[] {"{}", "rules: []", "{\"rules\": [], \"credentials\": []}"}) {
            EgressPolicy policy = EgressPolicy.parse(text);
            assertThat(policy).isEqualTo(EgressPolicy.DENY_ALL);
            assertThat(policy.decide(new Destination(HostName.parse("good.test"), 443)).allowed())
                    .isFalse();
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "https://good.test/x?y=1 | allow | site",
                "https://GOOD.test/ | allow | site",
                "http://good.test/ | deny | -",
                "http://good.test:443/ | deny | site",
                "http://api.test/v1 | allow | plain",
                "https://api.test:80/v1 | deny | plain",
                "tcp://db.good.test:5432 | allow | db",
                "https://db.good.test:5432 | allow | db",
                "tcp://db.good.test | deny | -",
                "https://user@good.test/ | deny | -",
                "https://good.test\\@evil.test/ | deny | -",
                "https://good.test./ | deny | -",
                "https://good.test:65979/ | deny | -",
                "https://0x7f.1/ | deny | -",
                "https://169.254.43518/ | deny | -",
                "ftp://good.test/ | deny | -",
                "good.test | deny | -",
                "https://203.0.113.7/ | allow | block",
                "https://[2001:db8::10]/ | allow | six",
            })
    void explain_answersEveryUrlInOneLine(String url, String verdict, String rule) {
        Explanation explanation = POLICY.explain(url);
        assertThat(explanation.line())
                .startsWith(verdict)
                .contains("  rule=" + rule + "  ")
                .doesNotContain("\n");
    }

    @Test
    void mayDial_privateAddressOnlyIfTheOperatorNamedIt() throws Exception {
        EgressRule site = rule("good.test", 443);
        EgressRule pinned = rule("db.good.test", 5432);
        EgressRule literal = POLICY.rules().get(7);
        assertThat(site.mayDial(address("203.0.113.10"))).isTrue();
        for (String inner :
                new String[] {
                    "10.0.0.5",
                    "127.0.0.1",
                    "169.254.169.254",
                    "::1",
                    "fd00:ec2::254",
                    "fe80::1",
                    "64:ff9b::a00:5",
                    "2002:a00:5::1",
                    "198.18.0.7",
                    "100.64.1.1",
                    "0.0.0.0"
                }) {
            assertThat(site.mayDial(address(inner))).as(inner).isFalse();
        }
        assertThat(pinned.mayDial(address("10.0.0.5"))).isTrue();
        assertThat(pinned.mayDial(address("10.0.0.6"))).isFalse();
        assertThat(literal.mayDial(address("10.1.2.3"))).isTrue();
        assertThat(literal.mayDial(address("10.1.2.4"))).isFalse();
    }

    @Test
    void mayDial_nameInConnectMayBePrivateButNeverThisHostOrMetadata() throws Exception {
        EgressRule rule =
                EgressPolicy.parse(
                                "rules: [{name: a, host: a.test, action: allow, connect: 'in.corp:1'}]")
                        .rules()
                        .getFirst();
        assertThat(rule.mayDial(address("10.9.9.9"))).isTrue();
        assertThat(rule.mayDial(address("127.0.0.1"))).isFalse();
        assertThat(rule.mayDial(address("169.254.169.254"))).isFalse();
    }

    private static EgressRule rule(String host, int port) {
        return POLICY.decide(new Destination(Host.parse(host), port)).rule().orElseThrow();
    }

    private static InetAddress address(String literal) {
        return HostAddress.parse(literal).address();
    }

    @Test
    void parse_unknownCredentialOfARule_isRefusedNamingBoth() {
        assertThatThrownBy(() ->
                        EgressPolicy.parse(
                                "rules: [{name: r, host: a.test, protocol: http, action:"
                                        + " allow, credential: gone, insecure-credential:"
                                        + " true}]"))
                .isInstanceOf(PolicyException.class)
                .hasMessageContaining("\"r\"")
                .hasMessageContaining("\"gone\"");
    }
}
