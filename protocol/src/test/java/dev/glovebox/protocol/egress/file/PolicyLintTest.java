package dev.glovebox.protocol.egress.file;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.egress.EgressPolicy;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PolicyLintTest {
    /// A wildcard over, or the whole of, a place where anybody can have a name or put data is a
    /// bridge for whatever is to be taken out (D7).
    @ParameterizedTest
    @ValueSource(
            strings = {
                "*.github.io",
                ".github.io",
                "*.s3.amazonaws.com",
                "*.amazonaws.com",
                "*.eu-west-1.amazonaws.com",
                "*.blob.core.windows.net",
                "*.pages.dev",
                "*.workers.dev",
                "*.co.uk",
                "gist.github.com",
                "s3.amazonaws.com",
                "storage.googleapis.com",
                "webhook.site",
            })
    void placesOfManyTenants_areWarnedOf(String host) {
        assertThat(warnings("{name: r, host: '" + host + "', action: allow}"))
                .contains("rule \"r\": ");
        assertThat(warnings("{name: r, host: '" + host + "', action: deny}")).isEmpty();
        assertThat(warnings("{name: r, host: one.example.com, action: allow}")).isEmpty();
        assertThat(warnings("{name: r, host: '*.example.com', action: allow}")).isEmpty();
    }

    /// On a place of many tenants, a rule that names paths lets to those and to no others (D7).
    @ParameterizedTest
    @CsvSource({
        "GET, /org/repo, allow",
        "GET, /org/repo/info, allow",
        "PUT, /org/repo, deny",
        "GET, /evil/repo, deny",
        "GET, /org/repo%2f..%2f..%2fevil, deny",
        "GET, /org/../evil/repo, deny",
    })
    void aRuleThatNamesPaths_isNoBridge(String method, String path, String verdict) {
        EgressPolicy policy =
                EgressPolicy.parse(
                        """
                        rules:
                          - {name: r, host: storage.googleapis.com, protocol: https, methods: [GET],
                             paths: [/org/repo, "/org/repo/**"], action: allow}
                        """);
        assertThat(PolicyLint.warnings(policy)).isEmpty();
        assertThat(
                        policy.explain(method, "https://storage.googleapis.com" + path)
                                .decision()
                                .verdict()
                                .text())
                .isEqualTo(verdict);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{name: r, cidr: 0.0.0.0/0, action: allow} | more than 65,536 addresses",
                "{name: r, cidr: '::/0', action: allow} | more than 65,536 addresses",
                "{name: r, cidr: 203.0.0.0/16, action: allow} | ''",
                "{name: r, host: a.test, ports: ['1-65535'], protocol: tcp, action: allow} | 1,024 ports",
                "{name: r, host: a.test, ports: ['1-1024'], protocol: tcp, action: allow} | ''",
                "{name: a, host: .a.test, action: allow}, {name: r, host: b.a.test, action: deny} | \"r\": is never asked",
                "{name: a, host: b.a.test, action: deny}, {name: r, host: .a.test, action: allow} | ''",
            })
    void whatIsLikelyAMistake_isWarnedOf(String rules, String warning) {
        if (warning.isEmpty()) {
            assertThat(warnings(rules)).isEmpty();
        } else {
            assertThat(warnings(rules)).contains(warning);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"http", "postgres", "redis"})
    void aCredentialInTheClear_isWarnedOf(String protocol) {
        String as = protocol.equals("http") ? "basic: {user: u}" : protocol + ": {user: u}";
        String text =
                """
                rules: [{name: r, host: a.test, protocol: PROTOCOL, credential: c, insecure-credential: true, action: allow}]
                credentials: [{name: c, source: {env: A}, AS}]
                """
                        .replace("PROTOCOL", protocol)
                        .replace("AS", as);
        assertThat(String.join("\n", PolicyLint.warnings(EgressPolicy.parse(text))))
                .contains("travels in the clear");
    }

    @ParameterizedTest
    @CsvSource({"learn, true", "deny, false"})
    void learning_isWarnedOf(String value, boolean warned) {
        assertThat(PolicyLint.warnings(EgressPolicy.parse("default: " + value)))
                .hasSize(warned ? 1 : 0);
    }

    private static String warnings(String rules) {
        return String.join("\n", PolicyLint.warnings(EgressPolicy.parse("rules: [" + rules + "]")));
    }
}
