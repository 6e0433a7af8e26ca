package dev.glovebox.linux.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.linux.mount.MountInfo;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CgroupsTest {
    @TempDir private Path root;

    @Test
    void hybridLayoutIsVersionOneWithATreeBeside() {
        Cgroups cgroups =
                Cgroups.of(
                        List.of(
                                legacy("memory"),
                                legacy("cpu,cpuacct"),
                                legacy("pids"),
                                mount("unified", "cgroup2", Set.of("rw"))));

        assertThat(cgroups.legacy()).isTrue();
        assertThat(cgroups.hybridTree()).contains(root.resolve("unified"));
        assertThat(cgroups.missingControllers()).isEmpty();
    }

    @Test
    void aControllerThatIsNotMountedIsNamed() {
        Cgroups cgroups = Cgroups.of(List.of(legacy("memory"), legacy("cpu")));

        assertThat(cgroups.missingControllers()).containsExactly("pids");
        assertThat(cgroups.hybridTree()).isEmpty();
    }

    @Test
    void aHostWithoutControlGroupsLacksAll() {
        Cgroups cgroups = Cgroups.of(List.of());

        assertThat(cgroups.present()).isFalse();
        assertThat(cgroups.missingControllers()).containsExactly("memory", "cpu", "pids");
    }

    @Test
    void versionTwoReadsItsControllersAndFigures() throws IOException {
        Files.writeString(root.resolve("cgroup.controllers"), "cpuset cpu io memory pids\n");
        Path group = Files.createDirectories(root.resolve("glovebox/s1"));
        Files.writeString(group.resolve("memory.current"), "4096\n");
        Files.writeString(group.resolve("memory.events"), "oom 2\noom_kill 1\n");
        Files.writeString(group.resolve("pids.current"), "3\n");
        Files.writeString(group.resolve("cgroup.procs"), "");
        Cgroups cgroups = unified();

        Cgroup cgroup = cgroups.group("/glovebox/s1");

        assertThat(cgroups.legacy()).isFalse();
        assertThat(cgroups.missingControllers()).isEmpty();
        assertThat(cgroup.memoryUsed()).isEqualTo(4096);
        assertThat(cgroup.oomKills()).isEqualTo(1);
        assertThat(cgroup.tasks()).isEqualTo(3);
        assertThat(cgroups.group("/glovebox").children()).containsExactly("s1");
    }

    @Test
    void versionOneReadsTheKillsFromTheOomControlFile() throws IOException {
        Path group = Files.createDirectories(root.resolve("memory/g"));
        Files.writeString(
                group.resolve("memory.oom_control"), "oom_kill_disable 0\nunder_oom 0\noom_kill 7");

        assertThat(Cgroups.of(List.of(legacy("memory"))).group("/g").oomKills()).isEqualTo(7);
    }

    @Test
    void aGroupThatIsNotThereUsesNothingAndIsGone() {
        Cgroup cgroup = Cgroups.of(List.of(legacy("memory"))).group("/glovebox/none");

        assertThat(cgroup.exists()).isFalse();
        assertThat(cgroup.memoryUsed()).isZero();
        assertThat(cgroup.destroy(Duration.ofMillis(1))).isTrue();
    }

    @Test
    void aGroupThatCannotBeRemovedIsReportedAfterTheDeadline() throws IOException {
        Path group = Files.createDirectories(root.resolve("memory/g"));
        Files.writeString(group.resolve("not-a-cgroup-file"), ""); // rmdir fails

        assertThat(Cgroups.of(List.of(legacy("memory"))).group("/g").destroy(Duration.ofMillis(5)))
                .isFalse();
    }

    /// What is in it is signalled all the same.
    @Test
    void aGroupThatCannotBeFrozenToBeKilledIsToldOnce() throws Exception {
        Path group = Files.createDirectories(root.resolve("freezer/g"));
        Files.createDirectory(group.resolve("freezer.state")); // nothing can be written to it
        Process process = new ProcessBuilder("sleep", "1000").start();
        Files.writeString(group.resolve("cgroup.procs"), process.pid() + "\n");
        List<LogRecord> told = new CopyOnWriteArrayList<>();
        Logger logger = Logger.getLogger(Cgroup.class.getName());
        Handler ear = ear(told);
        logger.addHandler(ear);
        try {
            boolean gone =
                    Cgroups.of(List.of(legacy("freezer")))
                            .group("/g")
                            .destroy(Duration.ofMillis(50));

            assertThat(gone).isFalse();
            assertThat(process.waitFor()).isEqualTo(128 + 9);
            assertThat(told).hasSize(2); // to freeze and to thaw, at the first of many attempts
            assertThat(told).allMatch(record -> record.getLevel().equals(Level.WARNING));
        } finally {
            logger.removeHandler(ear);
            process.destroyForcibly();
        }
    }

    private static Handler ear(List<LogRecord> told) {
        return new Handler() {
            @Override
            public void publish(LogRecord record) {
                told.add(record);
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
    }

    @Test
    void versionTwoFreezesByItsFreezeFileAndWaitsForTheEvent() throws Exception {
        Path group = Files.createDirectories(root.resolve("g"));
        Path control = Files.writeString(group.resolve("cgroup.freeze"), "0");
        Path events = Files.writeString(group.resolve("cgroup.events"), "populated 1\nfrozen 0\n");
        Cgroup cgroup = unified().group("/g");

        assertThat(cgroup.freeze(Duration.ofMillis(5))).isFalse();
        assertThat(control).hasContent("0");

        Files.writeString(events, "populated 1\nfrozen 1\n");
        assertThat(cgroup.freeze(Duration.ofSeconds(60))).isTrue();
        assertThat(control).hasContent("1");
        assertThat(cgroup.thaw(Duration.ofMillis(5))).isFalse();

        Files.writeString(events, "populated 1\nfrozen 0\n");
        assertThat(cgroup.thaw(Duration.ofSeconds(60))).isTrue();
        assertThat(control).hasContent("0");
    }

    @Test
    void versionOneFreezesByItsStateFile() throws Exception {
        Path state = Files.createDirectories(root.resolve("freezer/g")).resolve("freezer.state");
        Files.writeString(state, "THAWED\n");
        Cgroup cgroup = Cgroups.of(List.of(legacy("freezer"))).group("/g");

        assertThat(cgroup.freeze(Duration.ofSeconds(60))).isTrue();
        assertThat(state).hasContent("FROZEN");
        assertThat(cgroup.thaw(Duration.ofSeconds(60))).isTrue();
        assertThat(state).hasContent("THAWED");
    }

    @Test
    void versionTwoLimitsByItsMaxFiles() throws Exception {
        Path group = Files.createDirectories(root.resolve("g"));

        unified().group("/g").limit(64 << 20, 1.5, 100);

        assertThat(group.resolve("memory.max")).hasContent("67108864");
        assertThat(group.resolve("pids.max")).hasContent("100");
        assertThat(group.resolve("cpu.max")).hasContent("15000 10000");
    }

    @Test
    void theSpeedOfADiskIsLimitedByEitherVersion() throws Exception {
        Path legacy = Files.createDirectories(root.resolve("blkio/g"));
        Cgroups.of(List.of(legacy("blkio"))).group("/g").limitDisk("7:2", 1 << 20);
        for (String direction : List.of("read", "write")) {
            assertThat(legacy.resolve("blkio.throttle." + direction + "_bps_device"))
                    .hasContent("7:2 1048576");
        }

        Path unified = Files.createDirectories(root.resolve("g"));
        assertThatThrownBy(() -> unified().group("/g").limitDisk("7:2", 1 << 20))
                .hasMessageContaining("no controller of disks");
        Files.createFile(unified.resolve("io.max"));
        unified().group("/g").limitDisk("7:2", 1 << 20);
        assertThat(unified.resolve("io.max")).hasContent("7:2 rbps=1048576 wbps=1048576");
    }

    @Test
    void versionTwoGroupIsMadeWithItsControllersAndEnteredByItsProcess() throws Exception {
        Path group = Files.createDirectories(root.resolve("a/b"));
        Files.writeString(group.resolve("memory.swap.max"), "max");

        UnifiedCgroup made = UnifiedCgroup.create(unified().group("/a/b"), 64 << 20, 2, 100);
        List<String> words = made.entering(List.of("/bin/echo", "a b", "$0"));

        assertThat(root.resolve("cgroup.subtree_control")).exists();
        assertThat(root.resolve("a/cgroup.subtree_control")).exists();
        assertThat(group.resolve("cgroup.subtree_control")).doesNotExist();
        assertThat(group.resolve("memory.max")).hasContent("67108864");
        assertThat(group.resolve("memory.swap.max")).hasContent("0");
        Process process = new ProcessBuilder(words).start();
        assertThat(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                .isEqualTo("a b $0\n");
        assertThat(group.resolve("cgroup.procs")).hasContent("0");
    }

    @Test
    void processorTimeIsGivenInShortPeriods() {
        assertThat(CpuBandwidth.of(2)).isEqualTo(new CpuBandwidth(20_000, 10_000));
        assertThat(CpuBandwidth.of(0.1)).isEqualTo(new CpuBandwidth(1_000, 10_000));
        assertThat(CpuBandwidth.of(0.05)).isEqualTo(new CpuBandwidth(1_000, 20_000));
        assertThat(CpuBandwidth.of(1024)).isEqualTo(new CpuBandwidth(10_240_000, 10_000));
    }

    @Test
    void aGroupThatIsNotThereCannotBeFrozen() {
        assertThatThrownBy(() -> unified().group("/none").freeze(Duration.ofSeconds(1)))
                .hasMessageContaining("/none");
    }

    @Test
    void refusesAPathThatLeavesTheHierarchy() {
        Cgroups cgroups = Cgroups.of(List.of(legacy("memory")));

        assertThatThrownBy(() -> cgroups.group("/a/../b")).hasMessageContaining("/a/../b");
        assertThatThrownBy(() -> cgroups.group("a")).hasMessageContaining("absolute");
    }

    private Cgroups unified() {
        return Cgroups.of(
                List.of(
                        new MountInfo(
                                1,
                                "/",
                                root.toString(),
                                Set.of("rw"),
                                "cgroup2",
                                "cgroup2",
                                Set.of("rw"))));
    }

    private MountInfo legacy(String controllers) {
        return mount(
                controllers, "cgroup", Set.copyOf(List.of(("rw," + controllers).split(",", -1))));
    }

    private MountInfo mount(String name, String type, Set<String> superOptions) {
        return new MountInfo(
                1, "/", root.resolve(name).toString(), Set.of("rw"), type, type, superOptions);
    }
}
