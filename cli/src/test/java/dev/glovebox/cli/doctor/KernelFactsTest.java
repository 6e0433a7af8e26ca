package dev.glovebox.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class KernelFactsTest {
    @TempDir Path root;

    @Test
    void aHostWithoutUserNamespacesIsFatalAndSaysWhatToType() throws IOException {
        put("proc/sys/user/max_user_namespaces", "0");
        HostFact fact = facts().get("user namespaces");
        assertThat(fact.level()).isEqualTo(HostFact.Level.FATAL);
        assertThat(fact.advice()).contains("sysctl -w user.max_user_namespaces=");
    }

    @Test
    void anOldKernelIsFatalAndANewOneIsNot() throws IOException {
        put("proc/sys/kernel/osrelease", "5.10.0-28-amd64");
        assertThat(facts().get("kernel").level()).isEqualTo(HostFact.Level.FATAL);
        put("proc/sys/kernel/osrelease", "5.14.21");
        assertThat(facts().get("kernel").level()).isEqualTo(HostFact.Level.WARN);
        assertThat(facts().get("kernel").advice()).contains("cpu.idle");
        for (String release : new String[] {"5.15.0-91-generic", "6.1.0-18-amd64"}) {
            put("proc/sys/kernel/osrelease", release);
            assertThat(facts().get("kernel").level()).isEqualTo(HostFact.Level.OK);
        }
    }

    @Test
    void bothGenerationsOfCgroupsAreKnownAndNoneIsFatal() throws IOException {
        assertThat(facts().get("cgroups").level()).isEqualTo(HostFact.Level.FATAL);
        for (String controller : new String[] {"cpu", "memory", "pids", "freezer"}) {
            Files.createDirectories(root.resolve("sys/fs/cgroup/" + controller));
        }
        assertThat(facts().get("cgroups").value()).isEqualTo("v1");
        put("sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory hugetlb pids");
        assertThat(facts().get("cgroups").value()).startsWith("v2");
        put("sys/fs/cgroup/cgroup.controllers", "hugetlb");
        assertThat(facts().get("cgroups").level()).isEqualTo(HostFact.Level.FATAL);
    }

    @Test
    void weakSettingsAreNamed() throws IOException {
        put("proc/sys/fs/protected_symlinks", "0");
        HostFact fact = facts().get("sysctls");
        assertThat(fact.level()).isEqualTo(HostFact.Level.WARN);
        assertThat(fact.value()).isEqualTo("fs.protected_symlinks=0");
    }

    @Test
    void settingsAgainstPlantedFilesAreNamedToo() throws IOException {
        for (String kind : new String[] {"hardlinks", "fifos", "regular"}) {
            put("proc/sys/fs/protected_" + kind, "0");
        }
        assertThat(facts().get("sysctls").value())
                .isEqualTo("fs.protected_hardlinks=0 fs.protected_fifos=0 fs.protected_regular=0");
        for (String kind : new String[] {"hardlinks", "fifos", "regular"}) {
            put("proc/sys/fs/protected_" + kind, "1");
        }
        assertThat(facts().get("sysctls").level()).isEqualTo(HostFact.Level.OK);
    }

    /// The kernel does not start the program for a limit of 1, which a sandbox has if its worker
    /// may have that much.
    @Test
    void crashesPipedToAProgramAreAWarningWhereTheLimitCannotStopThem() throws IOException {
        String limits = "Max core file size        %s                    %s                 bytes";
        put("proc/sys/kernel/core_pattern", "|/usr/share/apport/apport -p%p");
        put("proc/self/limits", limits.formatted("0", "unlimited"));
        assertThat(facts().get("core_pattern").level()).isEqualTo(HostFact.Level.OK);
        assertThat(facts().get("core_pattern").value()).contains("not started for sandboxes");

        put("proc/self/limits", limits.formatted("0", "0"));
        HostFact fact = facts().get("core_pattern");
        assertThat(fact.level()).isEqualTo(HostFact.Level.WARN);
        assertThat(fact.advice()).contains("LimitCORE=1");

        put("proc/sys/kernel/core_pattern", "core");
        assertThat(facts().get("core_pattern").level()).isEqualTo(HostFact.Level.OK);
        put("proc/sys/kernel/core_pattern", "@/run/coredump.socket");
        assertThat(facts().get("core_pattern").level()).isEqualTo(HostFact.Level.WARN);
    }

    @Test
    void thisHostIsReadWithoutAnError() {
        assertThat(new KernelFacts(Path.of("/")).collect()).hasSizeGreaterThan(5);
    }

    private Map<String, HostFact> facts() {
        return new KernelFacts(root)
                .collect().stream().collect(Collectors.toMap(HostFact::name, f -> f));
    }

    private void put(String path, String text) throws IOException {
        Path file = root.resolve(path);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text + "\n");
    }
}
