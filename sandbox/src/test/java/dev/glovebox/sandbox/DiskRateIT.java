package dev.glovebox.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.linux.KernelThread;
import dev.glovebox.linux.disk.DiskImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// A disk is no faster for a sandbox than its limit says. Needs root, and loop devices.
class DiskRateIT {
    private static final String WRITE =
            "dd if=/dev/zero of=/workspace/f bs=256k count=16 oflag=direct 2>/dev/null && rm"
                    + " /workspace/f";
    private static final Duration LEAST = Duration.ofSeconds(3); // 4 MiB at 1 MiB a second

    private Ground ground;
    private DiskImage disk;

    @BeforeEach
    void open() throws IOException {
        ground = Ground.open(RuntimeName.CRUN);
        Path directory = Files.createDirectory(ground.directory().resolve("disk"));
        disk = DiskImage.make(directory, new DiskImage.Plan(64 << 20, 1000, 1000));
        disk.mount();
    }

    @AfterEach
    void close() throws IOException {
        disk.unmount();
        ground.close();
    }

    /// Started with it, and bound to it later; the control is the same without.
    @Test
    void whatIsWrittenPastTheCacheTakesItsTime() throws Exception {
        Limits slow = Limits.DEFAULT.withDiskRate("1m");
        List<Mount> mounts = List.of(new Mount(disk.mountPoint(), "/workspace", false));
        try (Sandbox free = ground.sandboxes().create(spec("free", mounts, Limits.DEFAULT))) {
            assertThat(written(free)).isLessThan(LEAST);
        }
        try (Sandbox limited = ground.sandboxes().create(spec("limited", mounts, slow))) {
            assertThat(written(limited)).isGreaterThan(LEAST);
        }
        try (Sandbox bound = ground.sandboxes().createUnbound(spec("bound", List.of(), slow))) {
            bound.bind(new Binding(mounts, slow, Map.of()));
            assertThat(written(bound)).isGreaterThan(LEAST);
        }
    }

    private static SandboxSpec spec(String name, List<Mount> mounts, Limits limits) {
        return new SandboxSpec(name, Template.BASE, mounts, Optional.empty(), limits, Map.of());
    }

    private static Duration written(Sandbox sandbox) {
        return KernelThread.call(
                "measure",
                () -> {
                    long start = System.nanoTime();
                    assertThat(Ground.shell(sandbox, WRITE).exit().code()).isZero();
                    return Duration.ofNanos(System.nanoTime() - start);
                });
    }
}
