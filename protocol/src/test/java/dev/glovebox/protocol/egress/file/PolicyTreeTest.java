package dev.glovebox.protocol.egress.file;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.egress.EgressPolicy;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class PolicyTreeTest {
    private static final String EVERYTHING =
            """
            default: learn
            preset: [npm, gitlab]
            rules:
              - {name: a, cidr: 203.0.113.0/24, action: audit}
              - {name: b, host: '2001:db8::10', action: ask, port: "8000-8010"}
              - {name: c, host: '*.a.test', action: deny, ports: [1, '2-3', '4']}
              - {name: d, host: .a.test, action: allow, port: '443'}
              - {name: e, host: a.test, protocol: tcp, port: 22, action: allow, connect: '10.0.0.5:22'}
              - {name: f, host: a.test, protocol: https, action: allow, methods: [PUT, GET], paths: ['/a/*/b', '/c/**'],
                 websocket: true, credential: c1, budget: {requests: '9', bytes: 1m, per: 1h}}
              - {name: g, host: b.test, protocol: http, action: allow, credential: c2, insecure-credential: true,
                 budget: {bytes: 4097, per: 90s}}
              - {name: h, host: c.test, protocol: ssh, action: allow, credential: c7, methods: [PUSH]}
              - {name: i, host: c.test, protocol: postgres, action: allow, credential: c8, connect: '[fd00::1]:5432'}
              - {name: j, host: c.test, protocol: redis, action: allow, credential: c9, insecure-credential: true}
              - {name: k, host: d.test, protocol: tcp, ports: [443], action: allow}
            credentials:
              - {name: c1, source: {env: A}}
              - {name: c2, source: {file: /a}, header: X-Key, format: 'k={}'}
              - {name: c3, source: {file: /a}, basic: {user: u}}
              - {name: c4, source: {file: /a}, query: {parameter: key}}
              - {name: c5, source: {file: /a}, placeholder: {value: gb_0123456789abcdef, bodies: true}}
              - {name: c6, source: {file: /a}, client-certificate: {key: {file: /b}}}
              - {name: c7, source: {file: /a}, ssh-key: {user: git, known-hosts: /k}}
              - {name: c8, source: {file: /a}, postgres: {user: app}}
              - {name: c9, source: {file: /a}, redis: {}, budget: {requests: 5, per: 1d}}
              - {name: c10, source: {command: [/bin/key, -n, 5], ttl: 10m}, redis: {user: x}}
              - {name: c11, source: {vault: {url: 'https://v.test', path: secret/data/a, field: key, token: {file: /t}, namespace: n}}}
              - {name: c12, source: {vault: {url: 'https://v.test', path: kv/a, field: key, app-role: {role-id: r, secret-id: {env: S}}}}}
              - {name: c13, source: {oauth2: {token-url: 'https://a.test/t', client-id: i, client-secret: {command: [/s]}, refresh-token: {file: /r}, scopes: [a, b]}}}
              - {name: c14, source: {github-app: {app-id: 12, installation-id: 34, private-key: {file: /k}}}}
              - {name: c15, source: {file: /a}, aws-sigv4: {access-key-id: AK, region: eu-west-1, service: s3, session-token: {file: /t}}}
              - {name: c16, source: {file: /a}, placeholder: {value: gb_0123456789abcdef}}
            """;

    @Test
    void whatIsWritten_isReadAsTheSamePolicy() {
        EgressPolicy policy = EgressPolicy.parse(EVERYTHING);
        assertThat(EgressPolicy.parse(Json.write(PolicyTree.of(policy)))).isEqualTo(policy);
        assertThat(EgressPolicy.parse(PolicyTree.yaml(PolicyTree.of(policy)))).isEqualTo(policy);
        for (String preset : Presets.names()) {
            EgressPolicy rules = EgressPolicy.parse("preset: [" + preset + "]");
            assertThat(EgressPolicy.parse(Json.write(PolicyTree.of(rules)))).isEqualTo(rules);
        }
        assertThat(EgressPolicy.parse(Json.write(PolicyTree.of(EgressPolicy.DENY_ALL))))
                .isEqualTo(EgressPolicy.DENY_ALL);
    }

    /// Every key that a policy may have is written, so that no part of one can change unnoticed.
    @Test
    void everyKeyOfTheLanguage_isWritten() {
        Set<String> written = new TreeSet<>();
        collect(PolicyTree.of(EgressPolicy.parse(EVERYTHING)), written);
        Set<String> known = new TreeSet<>();
        collectKnown(Json.tree(PolicySchema.text()), known);
        known.remove("preset");
        assertThat(written).containsAll(known);
    }

    private static void collect(tools.jackson.databind.JsonNode node, Set<String> keys) {
        keys.addAll(node.propertyNames());
        node.values().forEach(each -> collect(each, keys));
    }

    private static void collectKnown(tools.jackson.databind.JsonNode node, Set<String> keys) {
        keys.addAll(node.path("properties").propertyNames());
        node.values().forEach(each -> collectKnown(each, keys));
    }

    @Test
    void digest_isThatOfTheMeaning() {
        String digest = PolicyTree.digest(EgressPolicy.parse(EVERYTHING));
        assertThat(digest).matches("[0-9a-f]{64}");
        assertThat(
                        PolicyTree.digest(
                                EgressPolicy.parse(
                                        "# another spelling\n"
                                                + EVERYTHING
                                                        .replace("[PUT, GET]", "[GET, PUT]")
                                                        .replace("port: '443'", "protocol: tls"))))
                .isEqualTo(digest);
        for (String change :
                new String[] {
                    "default: deny",
                    "[PUT, HEAD]",
                    "paths: ['/a/*/c', '/c/**']",
                    "source: {env: B}",
                    "bytes: 2m",
                    "preset: [npm, github]"
                }) {
            String key = change.substring(0, Math.min(6, change.length()));
            String changed =
                    EVERYTHING
                            .lines()
                            .map(line -> line.contains(key) ? replaced(line, change) : line)
                            .reduce("", (a, b) -> a + b + "\n");
            assertThat(PolicyTree.digest(EgressPolicy.parse(changed)))
                    .as(change)
                    .isNotEqualTo(digest);
        }
    }

    private static String replaced(String line, String change) {
        return line.replace("default: learn", "default: deny")
                .replaceFirst("\\[PUT, GET\\]", change.startsWith("[PUT") ? change : "[PUT, GET]")
                .replaceFirst(
                        "paths: \\['/a/\\*/b', '/c/\\*\\*'\\]",
                        change.startsWith("paths") ? change : "paths: ['/a/*/b', '/c/**']")
                .replace("{env: A}", "{env: B}")
                .replace("bytes: 1m", "bytes: 2m")
                .replace("preset: [npm, gitlab]", "preset: [npm, github]");
    }

    /// What an operator is shown names no place where a secret lies.
    @Test
    void shown_ofACredential_isItsNameAndKindAlone() {
        String shown = Json.write(PolicyTree.shown(EgressPolicy.parse(EVERYTHING)));
        assertThat(shown)
                .contains("{\"name\":\"c13\",\"as\":\"header\",\"source\":\"oauth2\"}")
                .contains("{\"name\":\"c7\",\"as\":\"ssh-key\",\"source\":\"file\"}")
                .doesNotContain("\"/a\"", "/k", "v.test", "gb_0123456789abcdef", "AK", "/bin/key");
    }
}
