package dev.glovebox.protocol.egress.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeout;

import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.egress.Destination;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.Host;
import dev.glovebox.protocol.egress.PolicyException;
import dev.glovebox.protocol.egress.request.CanonicalPath;
import dev.glovebox.protocol.egress.request.RequestLine;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// A broken policy never widens access (D3): whatever is done to a policy, it is refused, or allows
/// no more than it did.
class BrokenPolicyTest {
    private static final String POLICY =
            """
            {"rules": [
              {"name": "no", "host": "secret.good.test", "action": "deny"},
              {"name": "api", "host": "api.test", "protocol": "https", "methods": ["GET"],
               "paths": ["/v1/*", "/v2/**"], "credential": "key",
               "budget": {"requests": 10, "bytes": "1m", "per": "1h"}, "action": "allow"},
              {"name": "children", "host": "*.good.test", "ports": [443, "8000-8010"], "action": "allow"},
              {"name": "db", "host": "db.test", "port": 5432, "protocol": "tcp",
               "connect": "10.0.0.5:5432", "action": "allow"},
              {"name": "block", "cidr": "203.0.113.0/24", "action": "audit"}],
             "credentials": [{"name": "key", "header": "Authorization", "format": "Bearer {}",
               "source": {"env": "KEY"}}],
             "preset": ["npm"]}
            """;

    private static final List<String> WRONG =
            List.of(
                    "null",
                    "true",
                    "false",
                    "0",
                    "-1",
                    "1.5",
                    "65536",
                    "\"\"",
                    "\"*\"",
                    "\".\"",
                    "\"**\"",
                    "[]",
                    "{}",
                    "[null]",
                    "[\"*\"]",
                    "[[]]",
                    "[{}]",
                    "\"\\u0000\"",
                    "\"ALLOW\"",
                    "\"0.0.0.0/0\"",
                    "\"*.test\"",
                    "\"0-65535\"",
                    "\" \"");

    private static final List<String> HOSTS =
            List.of(
                    "api.test",
                    "good.test",
                    "a.good.test",
                    "secret.good.test",
                    "a.b.good.test",
                    "db.test",
                    "evil.test",
                    "test",
                    "203.0.113.7",
                    "10.0.0.5",
                    "169.254.169.254",
                    "registry.npmjs.org",
                    "pypi.org");

    @Test
    void everyPrefix_isRefused() {
        String text = POLICY.strip();
        for (int end = 0; end < text.length(); end++) {
            String cut = text.substring(0, end);
            assertThatThrownBy(() -> EgressPolicy.parse(cut))
                    .as(cut)
                    .isInstanceOf(PolicyException.class);
        }
        assertThat(EgressPolicy.parse(text).rules()).hasSizeGreaterThan(4);
    }

    @Test
    void everyValueReplacedByAWrongOne_isRefusedOrAllowsNoMore() {
        Set<String> before = allowed(EgressPolicy.parse(POLICY));
        assertThat(before).contains("api.test:443 GET /v1/a", "a.good.test:443 GET /v1/a");
        int refused = 0;
        int read = 0;
        for (String pointer : pointers()) {
            for (String wrong : WRONG) {
                Optional<EgressPolicy> policy = parse(replaced(pointer, wrong));
                policy.ifPresent(p ->
                        assertThat(before)
                                .as("%s replaced by %s", pointer, wrong)
                                .containsAll(allowed(p)));
                refused += policy.isEmpty() ? 1 : 0;
                read += policy.isPresent() ? 1 : 0;
            }
        }
        assertThat(refused).isGreaterThan(500);
        assertThat(read).as("some are read, such as another name of a rule").isPositive();
    }

    @Test
    void everyKeyMisspelled_isRefused() {
        for (String pointer : pointers()) {
            String key = pointer.substring(pointer.lastIndexOf('/') + 1);
            if (!key.matches("[0-9]+")) {
                for (String other : List.of(key + "s", key.toUpperCase(Locale.ROOT), "x")) {
                    assertThat(parse(renamed(pointer, other)))
                            .as("%s renamed %s", pointer, other)
                            .isEmpty();
                }
            }
        }
    }

    /// Nesting, numbers, keys and aliases made to cost the reader more than they cost their writer
    /// (B24).
    @Test
    void bombs_areRefusedBeforeTheyGrow() {
        StringBuilder aliases = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for (int i = 1; i < 12; i++) {
            String one = "*a" + (i - 1);
            aliases.append("a" + i + ": &a" + i + " [" + (one + ", ").repeat(9) + one + "]\n");
        }
        List<String> bombs =
                List.of(
                        "[".repeat(100_000),
                        "{\"rules\":".repeat(20_000),
                        "rules: " + "[".repeat(100_000),
                        "? ".repeat(100_000),
                        "- ".repeat(100_000),
                        "rules: [{name: r, host: a.test, port: 1e309, action: allow}]",
                        "rules: [{name: r, host: a.test, port: " + "9".repeat(200_000) + "}]",
                        "rules: []\nrules: []",
                        "rules: [{name: r, name: s, host: a.test, action: allow}]",
                        aliases + "rules: *a11",
                        "rules: &r [*r]",
                        "rules: [{name: r, host: a.test, action: allow, <<: {port: 1}}]",
                        "rules: !!java.net.URL [http://evil.test/]",
                        "k: 0\n".repeat(50_000),
                        "&a ".repeat(50_000) + "x");
        for (String bomb : bombs) {
            String beginning = bomb.substring(0, Math.min(60, bomb.length()));
            assertTimeout(
                    Duration.ofSeconds(10),
                    () -> assertThat(parse(bomb)).as(beginning).isEmpty(),
                    beginning);
        }
        assertThat(parse("rules: [{name: r, host: a.test, port: 1, action: allow}]")).isPresent();
    }

    /// What is there of a policy whose writer was interrupted is refused where it is not the whole
    /// of a shorter one; that is why a worker waits until a file has come to rest.
    @Test
    void aMissingOrEmptyPolicy_neverMeansNoRestriction() {
        for (String text :
                List.of("", " ", "\n", "---", "---\n...", "# nothing", "null", "~", "[]")) {
            assertThat(parse(text)).as("'%s'", text).isEmpty();
        }
        for (String text : List.of("{}", "rules: []", "default: deny", "credentials: []")) {
            assertThat(allowed(EgressPolicy.parse(text))).as(text).isEmpty();
        }
    }

    /// But for `#`, which takes out the rest of a line as its writer wants.
    @Test
    void everyCharacterReplaced_isRefusedOrAllowsNoMore() {
        Set<String> before = allowed(EgressPolicy.parse(POLICY));
        for (int i = 0; i < POLICY.length(); i++) {
            for (char c : new char[] {'\0', '"', '*', '.', ' ', '}', ']', ',', '\n', '&'}) {
                String broken = POLICY.substring(0, i) + c + POLICY.substring(i + 1);
                int at = i;
                if (!inDenyRule(i)) {
                    parse(broken)
                            .ifPresent(p ->
                                    assertThat(before)
                                            .as("character %d replaced: %s", at, broken)
                                            .containsAll(allowed(p)));
                }
            }
        }
    }

    /// Another name to deny is another policy, not a broken one.
    private static boolean inDenyRule(int at) {
        return at < POLICY.indexOf("\"name\": \"api\"");
    }

    private static Optional<EgressPolicy> parse(String text) {
        try {
            return Optional.of(EgressPolicy.parse(text));
        } catch (PolicyException e) {
            return Optional.empty();
        }
    }

    private static Set<String> allowed(EgressPolicy policy) {
        Set<String> allowed = new TreeSet<>();
        for (String host : HOSTS) {
            for (int port : new int[] {80, 443, 5432, 8005, 9000}) {
                Destination to = new Destination(Host.parse(host), port);
                if (!policy.decide(to).allowed()) {
                    continue;
                }
                for (String line : List.of("GET /v1/a", "GET /v2/a/b", "GET /x", "POST /v1/a")) {
                    String[] words = line.split(" ", -1);
                    for (boolean socket : new boolean[] {false, true}) {
                        RequestLine request =
                                new RequestLine(words[0], CanonicalPath.of(words[1]), socket);
                        if (!seen(policy, to) || policy.decide(to, request).allowed()) {
                            allowed.add(to + " " + line + (socket ? " socket" : ""));
                        }
                    }
                }
            }
        }
        return allowed;
    }

    private static boolean seen(EgressPolicy policy, Destination to) {
        return policy.decide(to).rule().orElseThrow().protocol().seesRequests();
    }

    /// JSON pointers (RFC 6901) of everything in the policy but the deny rule.
    private static List<String> pointers() {
        List<String> pointers = new ArrayList<>();
        collect(Json.tree(POLICY), "", pointers);
        pointers.removeIf(pointer -> pointer.startsWith("/rules/0") || pointer.isEmpty());
        return pointers;
    }

    private static void collect(JsonNode node, String pointer, List<String> pointers) {
        pointers.add(pointer);
        for (String key : node.propertyNames()) {
            collect(node.get(key), pointer + "/" + key, pointers);
        }
        for (int i = 0; node.isArray() && i < node.size(); i++) {
            collect(node.get(i), pointer + "/" + i, pointers);
        }
    }

    private static String replaced(String pointer, String json) {
        JsonNode tree = Json.tree(POLICY);
        int slash = pointer.lastIndexOf('/');
        JsonNode parent = tree.at(pointer.substring(0, slash));
        String key = pointer.substring(slash + 1);
        if (parent instanceof ObjectNode object) {
            object.set(key, Json.tree(json));
        } else {
            ((ArrayNode) parent).set(Integer.parseInt(key), Json.tree(json));
        }
        return tree.toString();
    }

    private static String renamed(String pointer, String other) {
        JsonNode tree = Json.tree(POLICY);
        int slash = pointer.lastIndexOf('/');
        ObjectNode parent = (ObjectNode) tree.at(pointer.substring(0, slash));
        parent.set(other, parent.remove(pointer.substring(slash + 1)));
        return tree.toString();
    }
}
