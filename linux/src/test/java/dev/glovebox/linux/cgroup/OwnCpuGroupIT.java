package dev.glovebox.linux.cgroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Needs root and version 1 control groups.
class OwnCpuGroupIT {
    private final Cgroups cgroups = Cgroups.detect();
    private final String path = "/glovebox-it-" + UUID.randomUUID();
    private final Cgroup group = cgroups.group(path + "/own");

    @BeforeEach
    void needsVersionOne() {
        assumeThat(cgroups.legacy()).as("version 1 control groups").isTrue();
    }

    @AfterEach
    void remove() {
        cgroups.group(path).removeIfEmpty();
    }

    @Test
    void thisProcessAndWhatItStartsLieInItUntilItIsClosed() throws Exception {
        String home = of("self");
        Process child;
        try (OwnCpuGroup _ = OwnCpuGroup.enter(group, 4_096)) {
            child = new ProcessBuilder("sleep", "60").start();
            assertThat(of("self")).isEqualTo(path + "/own");
            assertThat(of(child.pid() + "")).isEqualTo(path + "/own");
            assertThat(group.controller("cpu").map(OwnCpuGroupIT::shares)).contains("4096");
        }
        try {
            assertThat(of("self")).isEqualTo(home);
            assertThat(of(child.pid() + "")).isEqualTo(home);
            assertThat(group.exists()).isFalse();
        } finally {
            child.destroyForcibly();
        }
    }

    @Test
    void itGoesToTheTopWhenItsHomeIsGone() throws Exception {
        Cgroup first = cgroups.group(path + "/first");
        OwnCpuGroup outer = OwnCpuGroup.enter(first, 1_024);
        try (OwnCpuGroup _ = OwnCpuGroup.enter(group, 1_024)) {
            outer.close();
            assertThat(first.exists()).isFalse();
            assertThat(of("self")).isEqualTo(path + "/own");
        }

        assertThat(of("self")).isEqualTo("/");
        assertThat(group.exists()).isFalse();
    }

    @Test
    void whoLivesInALeftoverIsMovedAndNotEnded() throws Exception {
        Process stranger = new ProcessBuilder("sleep", "60").start();
        try {
            Path directory = Files.createDirectories(group.controller("cpu").orElseThrow());
            Files.writeString(directory.resolve("cgroup.procs"), stranger.pid() + "");

            OwnCpuGroup.removeLeftover(group);

            assertThat(group.exists()).isFalse();
            assertThat(stranger.isAlive()).isTrue();
            assertThat(of(stranger.pid() + "")).isEqualTo("/");
        } finally {
            stranger.destroyForcibly();
        }
    }

    @Test
    void noLeftoverIsNoError() {
        OwnCpuGroup.removeLeftover(group);

        assertThat(group.exists()).isFalse();
    }

    private static String of(String process) throws IOException {
        return Membership.read(Path.of("/proc/" + process + "/cgroup")).in("cpu");
    }

    private static String shares(Path directory) {
        try {
            return Files.readString(directory.resolve("cpu.shares")).strip();
        } catch (IOException e) {
            return e.toString();
        }
    }
}
