package dev.glovebox.protocol.egress.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.egress.Decision;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.PolicyException;
import dev.glovebox.protocol.egress.Protocol;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

class PolicySchemaTest {
    private static final Schema SCHEMA =
            SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
                    .getSchema(PolicySchema.text());

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{}",
                "rules: []",
                "default: deny",
                "default: learn\npreset: [go]",
                "preset: [npm, pypi, github]",
                "rules: [{name: r, cidr: 203.0.113.0/24, action: audit}]",
                "rules: [{name: r, host: '2001:db8::10', action: ask}]",
                "rules: [{name: r, host: '[2001:db8::10]', action: deny}]",
                "rules: [{name: r, host: '*.a.test', action: allow, ports: [1, '2-3', '4']}]",
                "rules: [{name: r, host: .a.test, action: allow, port: '443'}]",
                "rules: [{name: r, host: a.test, protocol: tcp, port: 22, action: allow, connect: '10.0.0.5:22'}]",
                "rules: [{name: r, host: a.test, protocol: https, action: allow, methods: [GET], paths: ['/a/*/b', '/c/**'], websocket: true, budget: {requests: '9', bytes: 1m, per: 1h}}]",
                "rules: [{name: r, host: a.test, protocol: ssh, action: allow, budget: {bytes: 4096, per: 30s}}]",
                "credentials: [{name: c, source: {env: A}}]",
                "credentials: [{name: c, source: {env: A}, header: X-Key, format: 'k={}'}]",
                "credentials: [{name: c, source: {file: /a}, basic: {user: u}}]",
                "credentials: [{name: c, source: {file: /a}, query: {parameter: key}}]",
                "credentials: [{name: c, source: {file: /a}, placeholder: {value: gb_0123456789abcdef, bodies: true}}]",
                "credentials: [{name: c, source: {file: /a}, client-certificate: {key: {file: /b}}}]",
                "credentials: [{name: c, source: {file: /a}, aws-sigv4: {access-key-id: AK, region: eu-west-1, service: s3, session-token: {file: /t}}}]",
                "credentials: [{name: c, source: {file: /a}, ssh-key: {user: git, known-hosts: /k}}]",
                "credentials: [{name: c, source: {file: /a}, postgres: {user: app}}]",
                "credentials: [{name: c, source: {file: /a}, redis: {}, budget: {requests: 5, per: 1d}}]",
                "credentials: [{name: c, source: {command: [/bin/key, -n, 5], ttl: 10m}}]",
                "credentials: [{name: c, source: {vault: {url: 'https://v.test', path: secret/data/a, field: key, token: {file: /t}, namespace: n}}}]",
                "credentials: [{name: c, source: {vault: {url: 'http://127.0.0.1:8200', path: secret/a, field: key, token: {env: T}}}}]",
                "credentials: [{name: c, source: {oauth2: {token-url: 'https://a.test/t', client-id: i, client-secret: {command: [/s]}, refresh-token: {file: /r}, scopes: [a, b]}}}]",
                "credentials: [{name: c, source: {github-app: {app-id: 12, installation-id: 34, private-key: {file: /k}}}}]",
            })
    void whatTheReaderTakes_theSchemaTakes(String policy) {
        EgressPolicy.parse(policy);
        assertThat(SCHEMA.validate(policy, InputFormat.YAML)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "rules: {}",
                "rules: null",
                "default: allow",
                "rules: [{name: r, host: a.test, action: learn}]",
                "rule: []",
                "preset: []",
                "preset: [rpm]",
                "rules: [{name: r, action: allow}]",
                "rules: [{name: r, host: a.test}]",
                "rules: [{name: r, host: '*', action: allow}]",
                "rules: [{name: r, host: a.test, cidr: 1.0.0.0/8, action: allow}]",
                "rules: [{name: r, host: a.test, action: ALLOW}]",
                "rules: [{name: r, host: a.test, action: allow, hots: b}]",
                "rules: [{name: r, host: a.test, action: allow, port: 0}]",
                "rules: [{name: r, host: a.test, action: allow, port: 1, ports: [2]}]",
                "rules: [{name: r, host: a.test, action: allow, insecure-credential: true}]",
                "rules: [{name: r, host: a.test, protocol: https, action: allow, methods: []}]",
                "rules: [{name: r, host: a.test, protocol: https, action: allow, methods: [get]}]",
                "rules: [{name: r, host: a.test, protocol: https, action: allow, paths: [a]}]",
                "rules: [{name: r, host: a.test, action: allow, budget: {per: 1h}}]",
                "rules: [{name: r, host: a.test, action: allow, budget: {bytes: 1}}]",
                "credentials: [{name: c}]",
                "credentials: [{name: c, source: {}}]",
                "credentials: [{name: c, source: {env: A, file: /a}}]",
                "credentials: [{name: c, source: {env: A, ttl: 1m}}]",
                "credentials: [{name: c, source: {env: A}, value: secret}]",
                "credentials: [{name: c, source: {env: A}, format: Bearer}]",
                "credentials: [{name: c, source: {env: A}, ssh-key: {user: git}}]",
            })
    void whatTheSchemaRefuses_theReaderRefusesToo(String policy) {
        assertThat(SCHEMA.validate(policy, InputFormat.YAML)).isNotEmpty();
        assertThatThrownBy(() -> EgressPolicy.parse(policy)).isInstanceOf(PolicyException.class);
    }

    @Test
    void theWordsOfTheSchema_areThoseOfTheLanguage() {
        JsonNode schema = Json.tree(PolicySchema.text());
        JsonNode rule = schema.at("/$defs/rule/properties");
        assertThat(texts(rule.at("/protocol/enum")))
                .containsExactlyElementsOf(words(Protocol.values()));
        assertThat(texts(rule.at("/action/enum")))
                .containsExactlyInAnyOrderElementsOf(
                        words(
                                Stream.of(Decision.Verdict.values())
                                        .filter(Decision.Verdict::isAction)
                                        .toArray(Decision.Verdict[]::new)));
        assertThat(texts(schema.at("/properties/default/enum")))
                .containsExactlyElementsOf(words(EgressPolicy.Fallback.values()));
        assertThat(texts(schema.at("/properties/preset/items/enum")))
                .containsExactlyElementsOf(Presets.names());
    }

    private static Iterable<String> texts(JsonNode list) {
        return list.values().stream().map(JsonNode::asString).toList();
    }

    private static Iterable<String> words(Enum<?>[] constants) {
        return Stream.of(constants).map(each -> each.name().toLowerCase(Locale.ROOT)).toList();
    }
}
