package dev.glovebox.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ProcessorFactsTest {
    @TempDir Path root;

    @Test
    void faultsOfTheProcessorThatAreOpenAreNamed() throws IOException {
        assertThat(facts().get("mitigations").value()).isEqualTo("unknown");
        put("vulnerabilities/meltdown", "Not affected");
        put("vulnerabilities/spectre_v1", "Mitigation: usercopy barriers; SMT vulnerable");
        assertThat(facts().get("mitigations").level()).isEqualTo(HostFact.Level.OK);
        put("vulnerabilities/spec_rstack_overflow", "Vulnerable: Safe RET, no microcode");
        put("vulnerabilities/mds", "Vulnerable");
        HostFact fact = facts().get("mitigations");
        assertThat(fact.level()).isEqualTo(HostFact.Level.WARN);
        assertThat(fact.value()).isEqualTo("open: mds spec_rstack_overflow");
    }

    @Test
    void threadsOfOneCoreAreAHintForSomeAndNoWarning() throws IOException {
        put("smt/active", "1");
        HostFact fact = facts().get("smt");
        assertThat(fact.level()).isEqualTo(HostFact.Level.OK);
        assertThat(fact.advice()).contains("nosmt");
        put("smt/active", "0");
        assertThat(facts().get("smt").advice()).isEmpty();
    }

    private Map<String, HostFact> facts() {
        return new ProcessorFacts(root)
                .collect().stream().collect(Collectors.toMap(HostFact::name, f -> f));
    }

    private void put(String path, String text) throws IOException {
        Path file = root.resolve("sys/devices/system/cpu").resolve(path);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text + "\n");
    }
}
