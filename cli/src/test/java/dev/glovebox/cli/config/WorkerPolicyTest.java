package dev.glovebox.cli.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.Networking;
import dev.glovebox.worker.policy.PolicyBook;
import dev.glovebox.worker.policy.PolicyFiles;
import dev.glovebox.worker.policy.Wish;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WorkerPolicyTest {
    private static final String ALLOW = "rules: [{name: r, host: HOST.test, action: allow}]\n";

    @TempDir Path directory;

    @BeforeEach
    void policies() throws IOException {
        for (String name : new String[] {"policy", "build", "research", "template"}) {
            Files.writeString(directory.resolve(name + ".yaml"), allow(name));
        }
    }

    private static String allow(String host) {
        return ALLOW.replace("HOST", host);
    }

    private static EgressPolicy policy(String host) {
        return EgressPolicy.parse(allow(host));
    }

    @Test
    void everyPartOfTheFileArrives() throws IOException {
        PolicyFiles files =
                read(
                        """
                        policy: policy.yaml
                        policies: {build: build.yaml, research: research.yaml}
                        session-metadata: [policy, networking]
                        networking:
                          type: limited
                          allowed_hosts: [build.test, "*.good.test"]
                          allow_package_managers: true
                          allow_mcp_servers: false
                        """);
        PolicyBook book = files.read();

        assertThat(book.standard()).isEqualTo(policy("policy"));
        assertThat(book.named())
                .containsOnlyKeys("build", "research")
                .containsEntry("build", policy("build"));
        assertThat(book.honoured()).containsExactlyInAnyOrder(Wish.POLICY, Wish.NETWORKING);
        assertThat(book.ceiling())
                .isInstanceOfSatisfying(
                        Networking.Limited.class,
                        limited -> {
                            assertThat(limited.allowedHosts()).hasSize(2);
                            assertThat(limited.packageManagers()).isTrue();
                        });
    }

    /// A worker that is told nothing lets nothing out, and lets no session choose (D3).
    @Test
    void withoutAWord_nothingMayBeReachedAndNothingWishedFor() throws IOException {
        assertThat(read("").read()).isEqualTo(PolicyBook.DENY_ALL);
        assertThat(read("policies: {build: build.yaml}\n").read().standard())
                .isEqualTo(EgressPolicy.DENY_ALL);
        assertThat(WorkerSettings.DEFAULT.place().policies().read()).isEqualTo(PolicyBook.DENY_ALL);
    }

    /// Empty, missing or wrong never means that there is no restriction (D3, CVE-2025-66479).
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "policy: | line 1: policy",
                "policy: '' | line 1: policy",
                "policy: nowhere.yaml | is not there",
                "policy: . | cannot read policy",
                "policy: [policy.yaml] | a list is not expected",
                "policy: {file: policy.yaml} | unknown key policy.file",
                "policies: build.yaml | unknown key policies",
                "policies: {build: nowhere.yaml} | line 1: policies.build",
                "policies: {default: build.yaml} | line 1: policies.default",
                "policies: {'a b': build.yaml} | policies.a b",
                "session-metadata: policy | unknown key session-metadata",
                "session-metadata: [all] | line 1: session-metadata: 'all' is not one of policy, networking",
                "networking: | unknown key networking",
                "networking: {} | line 1: networking: networking.type",
                "networking: none | unknown key networking",
                "networking: {type: none} | networking.type",
                "networking: {allowed_hosts: []} | line 1: networking: networking",
                "networking: {type: unrestricted, allowed_hosts: []} | allowed_hosts",
                "networking: {type: limited, allowed_hosts: '*'} | unknown key networking.allowed_hosts",
                "networking: {type: limited, allowed_hosts: ['*']} | networking",
                "networking: {type: limited, allow_package_managers: sometimes} | is not true or false",
                "networking: {type: limited, allowed_host: [a.test]} | a list is not expected",
            })
    void whatIsWrong_startsNothing(String line, String message) {
        assertThatThrownBy(() -> read(line + "\n"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(message);
    }

    @Test
    void aPolicyThatIsInvalid_isToldWithItsOwnLines() throws IOException {
        Files.writeString(directory.resolve("bad.yaml"), "rules:\n  - name: r\n    host: '*'\n");
        assertThatThrownBy(() -> read("policies:\n  bad: bad.yaml\n"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("line 2: policies.bad: policy ")
                .hasMessageContaining("rules[0].host")
                .hasMessageContaining("(line 3)")
                .hasMessageContaining("rules[0].action: is missing");
    }

    /// What the worker says comes first; the template's policy is for a worker that says nothing.
    @Test
    void aTemplatesPolicy_isUsedWhereTheWorkerNamesNone() throws IOException {
        Path templates = Files.createDirectory(directory.resolve("templates"));
        Files.writeString(templates.resolve("own.yaml"), allow("own"));
        Files.writeString(templates.resolve("mine.yaml"), "profile: dev\npolicy: own.yaml\n");
        Files.writeString(templates.resolve("bare.yaml"), "profile: dev\n");
        String worker = "templates: templates\ntemplate: mine\n";

        assertThat(read(worker).read().standard()).isEqualTo(policy("own"));
        assertThat(read(worker).standard()).contains(templates.resolve("own.yaml"));
        assertThat(read(worker + "policy: policy.yaml\n").read().standard())
                .isEqualTo(policy("policy"));
        assertThat(read("templates: templates\ntemplate: bare\n").read().standard())
                .isEqualTo(EgressPolicy.DENY_ALL);
        assertThat(new TemplateDirectory(templates).find("base").policy()).isEmpty();
        assertThat(
                        new TemplateDirectory(templates)
                                .find(templates.resolve("mine.yaml").toString())
                                .policy())
                .contains(templates.resolve("own.yaml"));
    }

    @Test
    void aTemplateWhosePolicyIsWrong_isWrong() throws IOException {
        Path templates = Files.createDirectory(directory.resolve("templates"));
        Files.writeString(templates.resolve("bad.yaml"), "rules: null\n");
        Files.writeString(templates.resolve("mine.yaml"), "profile: dev\npolicy: bad.yaml\n");
        assertThatThrownBy(() -> new TemplateDirectory(templates).find("mine"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("line 2: policy: policy ");
        assertThatThrownBy(() -> read("templates: templates\ntemplate: mine\n"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("rules: is not a list");
    }

    @Test
    void everyExampleOfTheDocs_isAConfigurationOrATemplate() throws IOException {
        Files.writeString(directory.resolve("python-policy.yaml"), allow("python"));
        String text = Files.readString(Path.of("..", "docs", "policy.md"));
        Matcher example =
                Pattern.compile("```yaml (worker|template)\n(.*?)```", Pattern.DOTALL)
                        .matcher(text);
        List<String> kinds = new ArrayList<>();
        while (example.find()) {
            kinds.add(example.group(1));
            if (example.group(1).equals("worker")) {
                assertThat(read(example.group(2)).read().named()).hasSize(2);
            } else {
                Path file = Files.writeString(directory.resolve("t.yaml"), example.group(2));
                assertThat(TemplateFile.read(file).policy()).isPresent();
            }
        }
        assertThat(kinds).containsExactly("worker", "template");
    }

    private PolicyFiles read(String text) throws IOException {
        Path file = Files.writeString(directory.resolve("config.yaml"), text);
        return (PolicyFiles) WorkerSettings.read(file).place().policies();
    }
}
