package dev.glovebox.protocol.egress.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.protocol.egress.Decision;
import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.EgressRule;
import dev.glovebox.protocol.egress.HostName;
import dev.glovebox.protocol.egress.HostPattern;
import dev.glovebox.protocol.egress.PolicyException;
import dev.glovebox.protocol.egress.PortRange;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PresetsTest {
    private static final EgressPolicy ALL = EgressPolicy.parse("preset: " + Presets.names());

    @Test
    void everyPreset_namesExactHostsOnStandardPortsAndOnlyFetches() {
        assertThat(ALL.rules()).hasSizeGreaterThan(Presets.names().size());
        assertThat(ALL.credentials()).isEmpty();
        for (EgressRule rule : ALL.rules()) {
            assertThat(rule.host()).isInstanceOf(HostPattern.Exact.class);
            assertThat(((HostPattern.Exact) rule.host()).host()).isInstanceOf(HostName.class);
            assertThat(rule.ports())
                    .containsAnyOf(new PortRange(443, 443), new PortRange(80, 80))
                    .hasSize(1);
            assertThat(rule.protocol().seesRequests()).as(rule.name()).isTrue();
            assertThat(rule.action()).isEqualTo(Decision.Verdict.ALLOW);
            Set<String> methods = rule.requests().orElseThrow().methods();
            if (methods.equals(Set.of("POST"))) {
                assertThat(rule.requests().orElseThrow().paths())
                        .as(rule.name())
                        .isNotEmpty()
                        .allMatch(path -> path.text().endsWith("/git-upload-pack"));
            } else {
                assertThat(methods).as(rule.name()).isEqualTo(Set.of("GET", "HEAD"));
            }
        }
        assertThat(PolicyLint.warnings(ALL)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "GET, https://registry.npmjs.org/left-pad, allow",
        "PUT, https://registry.npmjs.org/left-pad, deny",
        "POST, https://registry.npmjs.org/-/npm/v1/security/advisories/bulk, deny",
        "GET, https://files.pythonhosted.org/packages/a, allow",
        "POST, https://upload.pypi.org/legacy/, deny",
        "GET, https://repo.maven.apache.org/maven2/a, allow",
        "GET, https://crates.io/api/v1/crates/serde/1.0.0/download, allow",
        "PUT, https://crates.io/api/v1/crates/new, deny",
        "GET, https://crates.io/settings/tokens, deny",
        "GET, http://deb.debian.org/debian/dists/stable/InRelease, allow",
        "GET, https://github.com/o/r/info/refs?service=git-upload-pack, allow",
        "POST, https://github.com/o/r.git/git-upload-pack, allow",
        "POST, https://github.com/o/r.git/git-receive-pack, deny",
        "POST, https://gitlab.com/g/s/r.git/git-upload-pack, allow",
        "POST, https://api.github.com/gists, deny",
        "GET, https://evil.github.io/, deny",
    })
    void presets_letFetchAndNotSend(String method, String url, String verdict) {
        assertThat(ALL.explain(method, url).decision().verdict().text()).isEqualTo(verdict);
    }

    @Test
    void aRuleOfThePolicy_comesBeforeThoseOfItsPresets() {
        EgressPolicy policy =
                EgressPolicy.parse(
                        """
                        preset: [npm]
                        rules: [{name: no, host: registry.npmjs.org, action: deny}]
                        """);
        assertThat(policy.explain("https://registry.npmjs.org/a").decision().ruleName())
                .isEqualTo("no");
        assertThat(policy.rules()).hasSize(1 + Presets.rules("npm").size());
    }

    @Test
    void anUnknownPreset_isRefusedNamingThoseThereAre() {
        for (String text :
                List.of("preset: [rpm]", "preset: npm", "preset: []", "preset: [npm, npm]")) {
            assertThatThrownBy(() -> EgressPolicy.parse(text)).isInstanceOf(PolicyException.class);
        }
        assertThatThrownBy(() -> EgressPolicy.parse("preset: [rpm]"))
                .hasMessageContaining("preset[0]")
                .hasMessageContaining("npm, pypi");
    }
}
