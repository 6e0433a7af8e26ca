package dev.glovebox.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.cli.Glovebox.Result;
import dev.glovebox.egress.audit.AuditConfig;
import dev.glovebox.egress.audit.AuditEvent;
import dev.glovebox.egress.audit.AuditLog;
import dev.glovebox.protocol.Json;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.file.PolicyTree;
import dev.glovebox.protocol.egress.file.Presets;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// `glovebox policy` as a person uses it, without a worker.
final class PolicyVerbsIT {
    private static final String GOOD =
            """
            rules:
              - {name: site, host: good.test, action: allow}
              - {name: api, host: api.test, protocol: https, methods: [GET], action: allow}
            """;

    @TempDir Path directory;

    @Test
    void check_listsEveryFaultWithItsLine_andWarns() throws IOException {
        String good = write("good.yaml", GOOD);
        String bad = write("bad.yaml", "rules:\n  - name: r\n    host: '*'\n  - name: s\n");
        String learns = write("learns.yaml", "default: learn\nrules: []\n");

        Result result = policy("check", good, bad, learns, directory + "/nowhere.yaml");
        assertThat(result.code()).isEqualTo(1);
        assertThat(result.out().lines())
                .contains(
                        good
                                + ": good, 2 rules, digest "
                                + PolicyTree.digest(EgressPolicy.parse(GOOD)),
                        directory + "/nowhere.yaml: there is no such file")
                .anyMatch(line -> line.startsWith(bad + ":3: rules[0].host"))
                .anyMatch(line -> line.startsWith(bad + ":2: rules[0].action"))
                .anyMatch(line -> line.startsWith(bad + ":4: rules[1].host"))
                .anyMatch(line -> line.startsWith(learns + ":1: warning: default: learn"));
        assertThat(policy("check", good, learns).code()).isZero();
        assertThat(policy("check", "--strict", good).code()).isZero();
        assertThat(policy("check", "--strict", learns).code()).isEqualTo(1);

        JsonNode json = Json.tree(policy("check", "--json", good, bad).out());
        assertThat(json.path(0).path("good").asBoolean()).isTrue();
        assertThat(json.path(1).path("good").asBoolean()).isFalse();
        assertThat(json.path(1).path("faults").path(0).path("line").asInt()).isPositive();
    }

    @Test
    void explain_judgesMethodsAndWhatASessionWishes() throws IOException {
        String good = write("good.yaml", GOOD);
        assertThat(policy("explain", "--policy", good, "https://api.test/x").out())
                .startsWith("allow https://api.test/x  rule=api");
        assertThat(
                        policy("explain", "--policy", good, "--method", "PUT", "https://api.test/x")
                                .out())
                .startsWith("deny  PUT https://api.test/x");
        String wish = "{\"type\":\"limited\",\"allowed_hosts\":[\"good.test\"]}";
        Result result =
                policy(
                        "explain",
                        "--policy",
                        good,
                        "--json",
                        "--session-networking",
                        wish,
                        "https://api.test/x",
                        "https://good.test/");
        JsonNode json = Json.tree(result.out());
        assertThat(json.findValuesAsString("verdict")).containsExactly("deny", "allow");
        assertThat(json.findValuesAsString("rule")).containsExactly("-", "site");
        Result broken =
                policy(
                        "explain",
                        "--policy",
                        good,
                        "--session-networking",
                        "{}",
                        "https://a.test/");
        assertThat(broken.code()).isNotZero();
        assertThat(broken.out()).isEmpty();
        assertThat(broken.err()).contains("networking.type").doesNotContain("\tat ");
    }

    @Test
    void presetsAndSchema_areWhatTheReaderKnows() {
        Result presets = policy("presets");
        assertThat(presets.out()).contains("npm ").contains("registry.npmjs.org");
        assertThat(EgressPolicy.parse(policy("presets", "npm", "go").out()).rules())
                .hasSize(Presets.rules("npm").size() + Presets.rules("go").size());
        assertThat(policy("presets", "rpm").err()).contains("there are alpine").hasLineCount(1);
        assertThat(Json.tree(policy("schema").out()).at("/properties/rules").isObject()).isTrue();
    }

    @Test
    void learn_proposesFromTheRecordsThatAreMeant() throws Exception {
        Path audit = directory.resolve("data").resolve("audit");
        try (AuditLog log = AuditLog.open(AuditConfig.at(audit))) {
            record(log, "sesn_1", "new.test", "learn", "no rule speaks of it");
            record(log, "sesn_2", "other.test", "learn", "no rule speaks of it");
            record(log, "sesn_1", "asked.test", "deny", "no rule allows asked.test:443");
            record(log, "sesn_1", "known.test", "allow", "rule \"known\"");
            record(log, "sesn_1", "10.0.0.5", "deny", "no rule allows 10.0.0.5:443");
        }
        String data = directory.resolve("data").toString();
        assertThat(hosts(policy("learn", "--data", data)))
                .containsExactly("new.test", "other.test");
        assertThat(hosts(policy("learn", "--audit", audit.toString(), "--session", "sesn_1")))
                .containsExactly("new.test");
        assertThat(hosts(policy("learn", "--data", data, "--denied", "--allowed")))
                .containsExactly("asked.test", "known.test", "new.test", "other.test");
        assertThat(hosts(policy("learn", "--data", data, "--since", "2000-01-01T00:00:00Z")))
                .hasSize(2);
        Result none = policy("learn", "--data", data, "--since", "2099-01-01T00:00:00Z");
        assertThat(hosts(none)).isEmpty();
        assertThat(none.err()).contains("nothing was learned").hasLineCount(1);
        assertThat(policy("learn", "--data", directory + "/nowhere").code()).isEqualTo(2);
    }

    private static void record(
            AuditLog log, String session, String host, String verdict, String reason)
            throws Exception {
        log.record(
                        new AuditEvent.Connection(
                                new AuditEvent.Subject(
                                        "door", Optional.of(session), Optional.empty()),
                                new AuditEvent.Target("198.18.1.0:443", host, 443),
                                "tls",
                                new AuditEvent.Ruling(verdict, "-", Optional.empty(), reason)))
                .get();
    }

    private static List<String> hosts(Result result) {
        assertThat(result.code()).as(result.err()).isZero();
        return EgressPolicy.parse(result.out()).rules().stream()
                .map(rule -> rule.host().text())
                .toList();
    }

    /// A template brings its policy along, a command line's own comes before it, and one that
    /// learns says so. Needs root.
    @Test
    void sandboxRun_usesThePolicyOfItsTemplate() throws IOException {
        write("mine.yaml", "policy: own.yaml\n");
        write("own.yaml", "rules: [{name: shut, host: own.test, action: deny}]\n");
        String template = directory.resolve("mine.yaml").toString();
        String[] ask = {"--", "sh", "-c", "getent hosts own.test other.test; echo asked"};
        Result own = sandbox(List.of("--template", template), ask);
        assertThat(own.out()).isEqualTo("asked\n");
        assertThat(own.err()).isEmpty();

        String learns = write("learns.yaml", "default: learn\n");
        Result given = sandbox(List.of("--template", template, "--policy", learns), ask);
        assertThat(given.out()).contains("own.test").contains("other.test");
        assertThat(given.err()).contains("this policy learns");

        write("own.yaml", "rules: {}\n");
        Result broken = sandbox(List.of("--template", template), ask);
        assertThat(broken.code()).isEqualTo(125);
        assertThat(broken.out()).isEmpty();
        assertThat(broken.err()).contains("own.yaml").contains("rules: is not a list");
    }

    @Test
    void theDoctor_warnsOfAConfigurationThatLearns() throws IOException {
        write("learns.yaml", "default: learn\n");
        String config = write("worker.yaml", "policy: learns.yaml\n");
        JsonNode facts =
                Json.tree(Glovebox.run(directory, "", "doctor", "--json", "--config", config).out())
                        .path("facts");
        assertThat(facts.path(0).path("name").asString()).isEqualTo("policy default");
        assertThat(facts.path(0).path("level").asString()).isEqualTo("warn");
        assertThat(facts.path(0).path("value").asString()).contains("learns");
    }

    @Test
    void everyVerb_teaches() {
        for (String verb :
                List.of("check", "explain", "learn", "presets", "schema", "show", "apply")) {
            Result help = policy(verb, "--help");
            assertThat(help.code()).isZero();
            assertThat(help.out()).as(verb).contains("glovebox policy " + verb).contains("Example");
        }
        assertThat(Glovebox.run(directory, "", "policy", "--help").out())
                .contains("default: learn");
        Result bare = Glovebox.run(directory, "", "policy");
        assertThat(bare.code()).isNotZero();
        assertThat(bare.err()).contains("policy check policy.yaml");
    }

    private String write(String name, String text) throws IOException {
        return Files.writeString(directory.resolve(name), text).toString();
    }

    private Result policy(String... arguments) {
        return run("policy", List.of(arguments));
    }

    private Result sandbox(List<String> options, String... command) {
        List<String> all = new ArrayList<>(List.of("run"));
        all.addAll(options);
        all.addAll(List.of(command));
        return run("sandbox", all);
    }

    private Result run(String verb, List<String> arguments) {
        List<String> all = new ArrayList<>(List.of(verb));
        all.addAll(arguments);
        return Glovebox.run(directory, "", all.toArray(String[]::new));
    }
}
