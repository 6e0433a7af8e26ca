package dev.glovebox.protocol.egress.file;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class PolicyReportTest {
    @Test
    void everyFault_hasItsLine() {
        PolicyReport report =
                PolicyReport.of(
                        """
                        rules:
                          - name: one
                            host: a.test
                            action: allow
                            port: 0
                          - name: two
                            hots: b.test
                            action: maybe
                        credentials:
                          - name: c
                        unknown: 1
                        """);
        assertThat(report.policy()).isEmpty();
        assertThat(report.faults().stream().map(Finding::toString))
                .anyMatch(fault -> fault.startsWith("rules[0].port") && fault.endsWith("(line 5)"))
                .anyMatch(fault -> fault.startsWith("rules[1].host") && fault.endsWith("(line 6)"))
                .anyMatch(fault -> fault.startsWith("rules[1].hots") && fault.endsWith("(line 7)"))
                .anyMatch(
                        fault -> fault.startsWith("rules[1].action") && fault.endsWith("(line 8)"))
                .anyMatch(fault ->
                        fault.startsWith("credentials[0].source") && fault.endsWith("(line 10)"))
                .anyMatch(fault -> fault.startsWith("unknown") && fault.endsWith("(line 11)"))
                .hasSize(6);
    }

    @Test
    void faultsOfThePolicyAsAWhole_haveTheLineOfTheRuleTheyAreAbout() {
        PolicyReport report =
                PolicyReport.of(
                        """
                        rules:
                          - {name: twice, host: a.test, action: allow}
                          - {name: twice, host: b.test, action: allow}
                          - {name: lone, host: c.test, protocol: https, credential: gone, action: allow}
                        """);
        assertThat(report.faults())
                .containsExactly(
                        new Finding(OptionalInt.of(3), "rule \"twice\" is there twice"),
                        new Finding(
                                OptionalInt.of(4),
                                "rule \"lone\" names credential \"gone\", which is not there"));
    }

    @Test
    void whatIsNoYaml_isToldWithItsLine() {
        PolicyReport report = PolicyReport.of("rules:\n  - {name: a\nx");
        assertThat(report.policy()).isEmpty();
        assertThat(report.faults())
                .singleElement()
                .satisfies(fault -> assertThat(fault.line()).isPresent());
        assertThat(PolicyReport.of("").faults()).hasSize(1);
    }

    @Test
    void warnings_haveTheLineOfTheRuleTheyAreAbout() {
        PolicyReport report =
                PolicyReport.of(
                        """
                        default: learn
                        preset: [npm]
                        rules:
                          - name: shared
                            host: "*.github.io"
                            action: allow
                          - name: npm
                            host: registry.npmjs.org
                            action: allow
                        credentials:
                          - {name: idle, source: {env: A}}
                        """);
        assertThat(report.faults()).isEmpty();
        assertThat(report.policy()).isPresent();
        assertThat(report.warnings().stream().map(Finding::line))
                .containsExactly(
                        OptionalInt.of(1),
                        OptionalInt.of(4),
                        OptionalInt.empty(),
                        OptionalInt.of(11));
        List<String> texts = report.warnings().stream().map(Finding::text).toList();
        assertThat(texts.get(0)).startsWith("default: learn");
        assertThat(texts.get(2)).contains("npm-registry", "is never asked");
    }
}
