package dev.glovebox.protocol.egress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.glovebox.protocol.Secret;
import dev.glovebox.protocol.egress.credential.Projection;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PolicyReaderTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{host: a.test, action: allow} | rules[0].name: is missing",
                "{name: r, action: allow} | rules[0].host: and cidr",
                "{name: r, host: a.test, cidr: 1.0.0.0/8, action: allow} | rules[0].host: and cidr",
                "{name: r, host: a.test} | rules[0].action: is missing",
                "{name: r, host: a.test, action: permit} | rules[0].action: \"permit\" is not one of",
                "{name: r, host: a.test, action: ALLOW} | rules[0].action",
                "{name: r, host: a.test, action: allow, hots: b} | rules[0].hots: is not a key here",
                "{name: r, host: a.test, action: allow, port: 0} | rules[0].port",
                "{name: r, host: a.test, action: allow, port: 65536} | rules[0].port",
                "{name: r, host: a.test, action: allow, port: '0443'} | rules[0].port",
                "{name: r, host: a.test, action: allow, port: 4.5} | rules[0].port",
                "{name: r, host: a.test, action: allow, ports: []} | rules[0].ports: is empty",
                "{name: r, host: a.test, action: allow, ports: ['9-8']} | rules[0].ports[0]",
                "{name: r, host: a.test, action: allow, port: 1, ports: [2]} | rules[0].port: and ports",
                "{name: r, host: a.test, action: allow, protocol: udp} | rules[0].protocol",
                "{name: r, host: a.test, action: allow, protocol: tcp} | must name one",
                "{name: r, host: '*', action: allow} | rules[0].host",
                "{name: r, host: '*.com', action: allow} | top-level domain",
                "{name: r, host: 'a.*.test', action: allow} | rules[0].host",
                "{name: r, host: '*.1.2.3.4', action: allow} | rules[0].host",
                "{name: r, host: 'a.test.', action: allow} | trailing dot",
                "{name: r, host: 'a..test', action: allow} | rules[0].host",
                "{name: r, host: 'ä.test', action: allow} | ASCII",
                "{name: r, host: 'a。test', action: allow} | ASCII",
                "{name: r, host: 'a_b.test', action: allow} | rules[0].host",
                "{name: r, host: 'a.test:443', action: allow} | rules[0].host",
                "{name: r, host: 2130706433, action: allow} | rules[0].host",
                "{name: r, host: 0177.0.0.1, action: allow} | rules[0].host",
                "{name: r, host: '127.1', action: allow} | rules[0].host",
                "{name: r, host: 127.0.0.1, action: allow} | the sandbox itself",
                "{name: r, host: '::1', action: allow} | the sandbox itself",
                "{name: r, host: '::ffff:7f00:1', action: allow} | the sandbox itself",
                "{name: r, host: localhost, action: allow} | the sandbox itself",
                "{name: r, host: 198.18.0.9, action: allow} | no destination",
                "{name: r, host: 'fe80::1%eth0', action: allow} | rules[0].host",
                "{name: r, cidr: 10.0.0.1/8, port: 1, action: allow} | behind its prefix",
                "{name: r, cidr: 10.0.0.0/33, port: 1, action: allow} | prefix outside",
                "{name: r, cidr: 10.0.0.0, port: 1, action: allow} | ADDRESS/BITS",
                "{name: r, host: a.test, action: allow, connect: a.test} | HOST:PORT",
                "{name: r, host: a.test, action: allow, connect: '::1:80'} | brackets",
                "{name: r, host: a.test, action: allow, connect: 'localhost:80'} | ambiguous",
                "{name: r, host: a.test, action: deny, connect: 'b.test:80'} | deny rule",
                "{name: r, host: a.test, action: allow, insecure-credential: true} | no credential",
                "{name: r, host: a.test, action: allow, insecure-credential: 'yes'} | true or false",
                "{name: r, host: a.test, action: allow, credential: k} | passed through unread",
                "{name: r, host: a.test, action: allow, protocol: http, credential: k} | in the clear",
                "{name: 'a b', host: a.test, action: allow} | rules[0]: name",
                "text | rules[0]: is not an object",
            })
    void parse_badRule_isRefusedNamingThePlace(String rule, String message) {
        assertThatThrownBy(() -> EgressPolicy.parse("rules: [" + rule + "]"))
                .isInstanceOf(PolicyException.class)
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{source: {env: A}} | credentials[0].name: is missing",
                "{name: c} | credentials[0].source: is missing",
                "{name: c, source: {}} | exactly one of file, env",
                "{name: c, source: {env: A, file: /a}} | exactly one of file, env",
                "{name: c, source: {env: A, value: x}} | credentials[0].source.value: is not a key",
                "{name: c, source: {file: a}} | not absolute",
                "{name: c, source: {env: 'A B'}} | not a variable name",
                "{name: c, source: {env: A}, header: Host} | cannot carry",
                "{name: c, source: {env: A}, header: 'a: b'} | cannot carry",
                "{name: c, source: {env: A}, format: 'Bearer'} | exactly one {}",
                "{name: c, source: {env: A}, format: '{} {}'} | exactly one {}",
                "{name: c, source: {env: A}, value: s3cret} | credentials[0].value: is not a key",
            })
    void parse_badCredential_isRefusedNamingThePlace(String credential, String message) {
        assertThatThrownBy(() -> EgressPolicy.parse("credentials: [" + credential + "]"))
                .isInstanceOf(PolicyException.class)
                .hasMessageContaining(message);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "null",
                "[]",
                "rules",
                "42",
                "rules: {}",
                "rules: null",
                "rules: [null]",
                "rule: []",
                "rules: []\nrules: []",
                "rules: [",
                "rules: []\n---\nrules: []",
                "\u0000"
            })
    void parse_whatIsNoPolicy_isRefusedAndNeverMeansNoRestriction(String text) {
        assertThatThrownBy(() -> EgressPolicy.parse(text)).isInstanceOf(PolicyException.class);
    }

    @Test
    void parse_severalFaults_areListedAtOnce() {
        PolicyException e =
                catchThrowableOfType(
                        PolicyException.class,
                        () ->
                                EgressPolicy.parse(
                                        """
                                        rules:
                                          - {name: one, host: a.test., action: allow}
                                          - {name: two, host: b.test, action: maybe, port: 0}
                                        creds: []
                                        """));
        assertThat(e.problems())
                .anyMatch(p -> p.startsWith("rules[0].host:"))
                .anyMatch(p -> p.startsWith("rules[1].action:"))
                .anyMatch(p -> p.startsWith("rules[1].port:"))
                .anyMatch(p -> p.startsWith("creds:"))
                .hasSize(4);
    }

    @Test
    void parse_textLongerThanTheLimit_isRefused() {
        assertThatThrownBy(() -> EgressPolicy.parse("#".repeat(300_000)))
                .isInstanceOf(PolicyException.class)
                .hasMessageContaining("longer than");
    }

    @Test
    void render_secretThatCannotStandInAHeader_isRefusedWithoutShowingIt() {
        Projection.Header header = new Projection.Header("Authorization", "Bearer {}");
        assertThat(header.render(new Secret("abc")).reveal()).isEqualTo("Bearer abc");
        assertThatThrownBy(() -> header.render(new Secret("a\r\nX-Evil: hush")))
                .isInstanceOf(PolicyException.class)
                .hasMessageContaining("no header may carry")
                .hasMessageNotContaining("hush");
    }
}
