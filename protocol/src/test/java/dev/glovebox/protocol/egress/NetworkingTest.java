package dev.glovebox.protocol.egress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.protocol.Json;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NetworkingTest {
    private static final EgressPolicy OPERATORS =
            EgressPolicy.parse(
                    """
                    preset: [npm, github]
                    rules:
                      - {name: no, host: secret.good.test, action: deny}
                      - {name: site, host: good.test, action: allow}
                      - {name: children, host: "*.good.test", action: allow}
                      - {name: block, cidr: 0.0.0.0/0, action: allow}
                      - {name: db, host: db.test, port: 5432, protocol: tcp, action: allow, connect: "10.0.0.5:5432"}
                    """);

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "good.test:443 | true",
                "a.good.test:443 | true",
                "b.good.test:443 | false",
                "secret.good.test:443 | false",
                "evil.test:443 | false",
                "db.test:5432 | false",
                "registry.npmjs.org:443 | true",
                "github.com:443 | false",
                "203.0.113.7:443 | true",
                "203.0.113.8:443 | false",
                "10.0.0.5:443 | false",
            })
    void limited_isTheOperatorsPolicyAndNothingElse(String place, boolean allowed) {
        EgressPolicy policy =
                networking(
                                """
                                {"type": "limited", "allow_package_managers": true, "allow_mcp_servers": true,
                                 "allowed_hosts": ["good.test", "a.good.test", "secret.good.test", "evil.test",
                                    "203.0.113.7", "10.0.0.5"]}
                                """)
                        .within(OPERATORS);
        Endpoint to = Endpoint.parse(place);
        assertThat(policy.decide(new Destination(to.host(), to.port())).allowed())
                .isEqualTo(allowed);
    }

    @Test
    void limited_withNoHostsAllowsNothing() {
        EgressPolicy policy = networking("{\"type\": \"limited\"}").within(OPERATORS);
        assertThat(policy.rules()).allMatch(rule -> rule.action() == Decision.Verdict.DENY);
    }

    @Test
    void unrestricted_isNoMoreThanTheOperatorsPolicy() {
        assertThat(networking("{\"type\": \"unrestricted\"}").within(OPERATORS))
                .isEqualTo(OPERATORS);
        assertThat(networking("{\"type\": \"unrestricted\"}").within(EgressPolicy.DENY_ALL))
                .isEqualTo(EgressPolicy.DENY_ALL);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "null",
                "{}",
                "[]",
                "\"unrestricted\"",
                "{\"type\": \"none\"}",
                "{\"type\": \"unrestricted\", \"allowed_hosts\": []}",
                "{\"type\": \"limited\", \"allowed_host\": []}",
                "{\"type\": \"limited\", \"allowed_hosts\": \"good.test\"}",
                "{\"type\": \"limited\", \"allowed_hosts\": null}",
                "{\"type\": \"limited\", \"allowed_hosts\": [1]}",
                "{\"type\": \"limited\", \"allowed_hosts\": [\"*\"]}",
                "{\"type\": \"limited\", \"allowed_hosts\": [\".good.test\"]}",
                "{\"type\": \"limited\", \"allowed_hosts\": [\"good.test:443\"]}",
                "{\"type\": \"limited\", \"allow_package_managers\": \"yes\"}",
            })
    void of_whatIsNoNetworking_isRefusedAndNeverMeansNoRestriction(String json) {
        assertThatThrownBy(() -> networking(json)).isInstanceOf(PolicyException.class);
    }

    private static Networking networking(String json) {
        return Networking.of(Json.tree(json));
    }
}
