package dev.glovebox.worker.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeout;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.egress.Destination;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.Endpoint;
import dev.glovebox.protocol.egress.Networking;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.node.ObjectNode;

/// What a session can get by its metadata, and that it is never more than its operator allows.
class SessionWishesTest {
    private static final EgressPolicy WIDE = policy("wide.test", "both.test", "*.deep.test");
    private static final EgressPolicy BUILD = policy("build.test", "both.test");
    private static final PolicyBook BOOK =
            book(new Networking.Unrestricted(), Set.of(Wish.POLICY, Wish.NETWORKING));

    private static PolicyBook book(Networking ceiling, Set<Wish> honoured) {
        return new PolicyBook(WIDE, Map.of("build", BUILD), ceiling, honoured);
    }

    private static EgressPolicy policy(String... hosts) {
        StringBuilder text = new StringBuilder("rules:\n");
        for (int i = 0; i < hosts.length; i++) {
            text.append("  - {name: r" + i + ", host: '" + hosts[i] + "', action: allow}\n");
        }
        return EgressPolicy.parse(text.toString());
    }

    private static EgressPolicy effective(PolicyBook book, String metadata) {
        SessionWishes wishes = SessionWishes.of(Json.tree(metadata.replace('\'', '"')), book);
        return book.narrowed(book.chosen(wishes), wishes);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{} | wide.test both.test a.deep.test",
                "null | wide.test both.test a.deep.test",
                "{'team': 'x', 'glove': 'y'} | wide.test both.test a.deep.test",
                "{'glovebox.policy': 'build'} | build.test both.test",
                "{'glovebox.networking': '{\\\"type\\\":\\\"unrestricted\\\"}'} | wide.test both.test a.deep.test",
                "{'glovebox.networking': '{\\\"type\\\":\\\"limited\\\"}'} | ''",
                "{'glovebox.networking': '{\\\"type\\\":\\\"limited\\\",\\\"allowed_hosts\\\":[\\\"both.test\\\",\\\"evil.test\\\"]}'} | both.test",
                "{'glovebox.policy': 'build', 'glovebox.networking': '{\\\"type\\\":\\\"limited\\\",\\\"allowed_hosts\\\":[\\\"wide.test\\\",\\\"build.test\\\"]}'} | build.test",
            })
    void wishes_chooseAndNarrow(String metadata, String allowed) {
        EgressPolicy policy = effective(BOOK, metadata);
        for (String host :
                List.of("wide.test", "both.test", "build.test", "a.deep.test", "evil.test")) {
            assertThat(reaches(policy, host))
                    .as("%s with %s", host, metadata)
                    .isEqualTo(List.of(allowed.split(" ", -1)).contains(host));
        }
    }

    private static boolean reaches(EgressPolicy policy, String host) {
        Endpoint to = Endpoint.parse(host + ":443");
        return policy.decide(new Destination(to.host(), to.port())).allowed();
    }

    /// What cannot be granted, or cannot be understood, is refused: nothing falls back to a policy
    /// that the session did not ask for, which could be a wider one.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'glovebox.policy': 'research'}",
                "{'glovebox.policy': 'default'}",
                "{'glovebox.policy': ''}",
                "{'glovebox.policy': 'Build'}",
                "{'glovebox.policy': 'build '}",
                "{'glovebox.policy': '../build'}",
                "{'glovebox.policy': '/etc/passwd'}",
                "{'glovebox.policy': null}",
                "{'glovebox.policy': ['build']}",
                "{'glovebox.policy': 1}",
                "{'glovebox.Policy': 'build'}",
                "{'glovebox.polcy': 'build'}",
                "{'glovebox.': 'build'}",
                "{'glovebox.networking': ''}",
                "{'glovebox.networking': 'unrestricted'}",
                "{'glovebox.networking': '{}'}",
                "{'glovebox.networking': '[]'}",
                "{'glovebox.networking': 'null'}",
                "{'glovebox.networking': {'type': 'unrestricted'}}",
                "{'glovebox.networking': '{\\\"type\\\":\\\"none\\\"}'}",
                "{'glovebox.networking': '{\\\"type\\\":\\\"limited\\\",\\\"type\\\":\\\"unrestricted\\\"}'}",
                "{'glovebox.networking': '{\\\"type\\\":\\\"limited\\\",\\\"allowed_hosts\\\":[\\\"*\\\"]}'}",
                "{'glovebox.networking': '{\\\"type\\\":\\\"limited\\\",\\\"allowed_host\\\":[]}'}",
                "[]",
                "'text'",
            })
    void wishesThatCannotBeGranted_areRefused(String metadata) {
        assertThatThrownBy(() -> effective(BOOK, metadata))
                .isInstanceOf(SessionPolicyException.class)
                .hasMessageContaining("the session's");
        assertThat(reaches(effective(BOOK, "{}"), "wide.test")).isTrue();
    }

    /// A worker whose operator lets nobody choose does not pass over a session's wish for less.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'glovebox.policy': 'build'}",
                "{'glovebox.networking': '{\\\"type\\\":\\\"limited\\\"}'}"
            })
    void wishesThatNobodyEnabled_areRefused(String metadata) {
        PolicyBook none = book(new Networking.Unrestricted(), Set.of());
        assertThatThrownBy(() -> effective(none, metadata))
                .isInstanceOf(SessionPolicyException.class)
                .hasMessageContaining("has not enabled");
        assertThat(effective(none, "{'team': 'x'}")).isEqualTo(WIDE);
        assertThat(effective(BOOK, metadata)).isNotEqualTo(WIDE);
    }

    /// The operator's own `networking` holds for every policy and whatever a session wishes.
    @Test
    void theOperatorsNetworking_isACeiling() {
        PolicyBook capped =
                book(
                        Networking.of(
                                Json.tree(
                                        "{\"type\":\"limited\",\"allowed_hosts\":[\"both.test\",\"build.test\"]}")),
                        Set.of(Wish.POLICY, Wish.NETWORKING));
        assertThat(reaches(effective(capped, "{}"), "both.test")).isTrue();
        assertThat(reaches(effective(capped, "{}"), "wide.test")).isFalse();
        assertThat(reaches(effective(capped, "{'glovebox.policy': 'build'}"), "build.test"))
                .isTrue();
        EgressPolicy wished =
                effective(capped, "{'glovebox.networking': '{\\\"type\\\":\\\"unrestricted\\\"}'}");
        assertThat(reaches(wished, "wide.test")).isFalse();
    }

    /// Metadata made to cost its reader more than it cost its writer (B24).
    @Test
    void bombsInMetadata_areRefusedBeforeTheyGrow() {
        List<String> bombs =
                List.of(
                        "[".repeat(16_000),
                        "{\"a\":".repeat(3_000),
                        "{\"type\":\"limited\",\"allowed_hosts\":[" + "[".repeat(15_000),
                        "{\"type\":\"limited\",\"allowed_hosts\":["
                                + "\"a.b\",".repeat(2_500)
                                + "1]}",
                        "{\"type\":\"limited\",\"allowed_hosts\":[\"" + "1.".repeat(7_000) + "\"]}",
                        "{\"type\":\"limited\",\"allowed_hosts\":[\"" + "*.".repeat(7_000) + "\"]}",
                        "{\"type\":1e309}",
                        "{\"type\":" + "9".repeat(15_000) + "}",
                        "{\"type\":\"limited\",\"type\":\"limited\"}",
                        " ".repeat(1 << 20) + "{\"type\":\"unrestricted\"}");
        for (String bomb : bombs) {
            ObjectNode metadata = Json.object().put(Wish.NETWORKING.key(), bomb);
            String beginning = bomb.substring(0, Math.min(60, bomb.length()));
            assertTimeout(
                    Duration.ofSeconds(5),
                    () ->
                            assertThatThrownBy(() -> SessionWishes.of(metadata, BOOK))
                                    .as(beginning)
                                    .isInstanceOf(SessionPolicyException.class),
                    beginning);
        }
        ObjectNode good = Json.object().put(Wish.NETWORKING.key(), "{\"type\":\"unrestricted\"}");
        assertThat(SessionWishes.of(good, BOOK).policy()).isEmpty();
    }

    /// A wish that leaves more rules than a policy may have is refused, not cut short.
    @Test
    void aWishThatMakesTooManyRules_isRefused() {
        PolicyBook many =
                new PolicyBook(
                        EgressPolicy.parse(
                                """
                                rules:
                                  - {name: a, host: "*.d.test", action: allow}
                                  - {name: b, host: "*.d.test", port: 8443, action: allow}
                                  - {name: c, host: "*.d.test", port: 9443, action: allow}
                                """),
                        Map.of(),
                        new Networking.Unrestricted(),
                        Set.of(Wish.NETWORKING));
        StringBuilder hosts = new StringBuilder();
        for (int i = 0; i < 400; i++) {
            hosts.append(i == 0 ? "" : ",").append("\"a" + i + ".d.test\"");
        }
        ObjectNode metadata =
                Json.object()
                        .put(
                                Wish.NETWORKING.key(),
                                "{\"type\":\"limited\",\"allowed_hosts\":[" + hosts + "]}");
        SessionWishes wishes = SessionWishes.of(metadata, many);
        assertThatThrownBy(() -> many.narrowed(many.chosen(wishes), wishes))
                .isInstanceOf(SessionPolicyException.class)
                .hasMessageContaining("cannot be used");
    }
}
