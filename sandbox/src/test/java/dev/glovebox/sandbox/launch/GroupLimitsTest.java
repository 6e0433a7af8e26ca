package dev.glovebox.sandbox.launch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.linux.cgroup.Cgroup;
import dev.glovebox.linux.cgroup.Cgroups;
import dev.glovebox.linux.mount.MountInfo;
import dev.glovebox.sandbox.Limits;
import dev.glovebox.sandbox.RuntimeName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Takes one limit at a time away from a control group that is well, of either version.
class GroupLimitsTest {
    private static final String GROUP = "g";
    private static final GroupLimits WANTED =
            GroupLimits.of(RuntimeName.CRUN, new Limits((64 << 20) + 100, 0.5, 32));

    @TempDir Path root;

    @Test
    void aGroupThatIsWellHasNoMismatch() throws IOException {
        assertThat(WANTED.mismatches(legacy())).isEmpty();
        assertThat(WANTED.mismatches(unified())).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "memory/g/memory.usage_in_bytes,0",
        "memory/g/memory.limit_in_bytes,9223372036854771712",
        "memory/g/memory.limit_in_bytes,67112960",
        "memory/g/memory.memsw.limit_in_bytes,9223372036854771712",
        "pids/g/pids.current,0",
        "pids/g/pids.max,max",
        "pids/g/pids.max,33",
        "cpu/g/cpu.cfs_quota_us,-1",
        "cpu/g/cpu.cfs_quota_us,10000",
        "cpu/g/cpu.cfs_period_us,5000",
        "devices/g/devices.list,a *:* rwm",
        "devices/g/devices.list,b 254:0 r",
        "devices/g/devices.list,c 1:1 rw"
    })
    void aLimitThatIsNotAsItMustBe_isNamedOnVersionOne(String file, String value)
            throws IOException {
        Cgroup group = legacy();
        put(file, value);

        assertThat(WANTED.mismatches(group)).hasSize(1);
    }

    @ParameterizedTest
    @CsvSource({
        "memory.current,0",
        "memory.max,max",
        "memory.swap.max,max",
        "memory.swap.max,4096",
        "pids.current,0",
        "pids.max,max",
        "cpu.max,max 100000",
        "cpu.max,10000 10000"
    })
    void aLimitThatIsNotAsItMustBe_isNamedOnVersionTwo(String file, String value)
            throws IOException {
        Cgroup group = unified();
        put("unified/g/" + file, value);

        assertThat(WANTED.mismatches(group)).isNotEmpty();
    }

    /// A kernel without swap has no file for it.
    @Test
    void whereNoSwapIsCountedNoneIsLimited() throws IOException {
        Cgroup group = legacy();
        Files.delete(root.resolve("memory/g/memory.memsw.limit_in_bytes"));

        assertThat(WANTED.mismatches(group)).isEmpty();
    }

    @Test
    void aGroupThatIsNotThereIsNoneThatIsWell() {
        Cgroup gone = Cgroups.of(List.of(mount("memory"), mount("pids"))).group("/gone");

        assertThat(WANTED.mismatches(gone)).hasSizeGreaterThan(3);
    }

    private Cgroup legacy() throws IOException {
        put("memory/g/memory.usage_in_bytes", "40960");
        put("memory/g/memory.limit_in_bytes", "67108864");
        put("memory/g/memory.memsw.limit_in_bytes", "67108864");
        put("pids/g/pids.current", "1");
        put("pids/g/pids.max", "32");
        put("cpu/g/cpu.cfs_quota_us", "5000");
        put("cpu/g/cpu.cfs_period_us", "10000");
        put("devices/g/devices.list", "c 1:3 rw\nc 136:* rwm\nb *:* m");
        return Cgroups.of(List.of(mount("memory"), mount("pids"), mount("cpu"), mount("devices")))
                .group("/" + GROUP);
    }

    private Cgroup unified() throws IOException {
        put("unified/g/memory.current", "40960");
        put("unified/g/memory.max", "67108864");
        put("unified/g/memory.swap.max", "0");
        put("unified/g/pids.current", "1");
        put("unified/g/pids.max", "32");
        put("unified/g/cpu.max", "5000 10000");
        return Cgroups.of(
                        MountInfo.parse(
                                "1 0 0:1 / " + root.resolve("unified") + " rw - cgroup2 none rw"))
                .group("/" + GROUP);
    }

    private MountInfo mount(String controller) {
        return MountInfo.parse(
                        String.format(
                                Locale.ROOT,
                                "1 0 0:1 / %s rw - cgroup none rw,%s",
                                root.resolve(controller),
                                controller))
                .getFirst();
    }

    private void put(String file, String value) throws IOException {
        Path target = root.resolve(file);
        Files.createDirectories(target.resolveSibling(""));
        Files.writeString(target, value + "\n");
    }
}
