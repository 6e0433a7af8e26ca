package dev.glovebox.sandbox;

import static dev.glovebox.sandbox.RuntimeName.RUNSC;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Attempts to use up the machine, under each runtime; what gVisor does at limits where the others
/// only kill is in [GvisorBombsIT]. Needs root.
class ExhaustionIT {
    private static final int EPERM = 1;
    private static final int EINVAL = 22;
    private static final Limits SMALL = new Limits(Limits.bytes("64m"), 0.5, 64);
    @RegisterExtension static final Grounds GROUNDS = new Grounds();

    private static Ground ground(RuntimeName runtime) throws Exception {
        return GROUNDS.under(runtime);
    }

    /// B1
    @ParameterizedTest
    @EnumSource(names = {"CRUN", "RUNC"})
    void aForkBombStopsAtTheLimitAndTheSessionGoesOn(RuntimeName runtime) throws Exception {
        try (Sandbox sandbox = ground(runtime).sandbox("forks", SMALL)) {
            Ground.Result result = Ground.run(sandbox, "/attack/attack", "forks");

            assertThat(result.output()).matches("forks (5\\d|6[0-3]) errno 11\n");
            assertThat(Ground.run(sandbox, "/bin/echo", "on").output()).isEqualTo("on\n");
            Ground.await("only pid 1 is left", () -> sandbox.tasks() == 1);
        }
    }

    /// B2
    @ParameterizedTest
    @EnumSource(names = {"CRUN", "RUNC"})
    void aMemoryBombIsKilledReportedAndTheSessionGoesOn(RuntimeName runtime) throws Exception {
        try (Sandbox sandbox = ground(runtime).sandbox("memory", SMALL)) {
            assertThat(Ground.run(sandbox, "/attack/attack", "eat", "16").exit().code()).isZero();
            assertThat(sandbox.oomKills()).isZero();

            Ground.Result result = Ground.run(sandbox, "/attack/attack", "eat", "256");

            assertThat(result.exit().signal()).isEqualTo(9);
            assertThat(sandbox.oomKills()).isEqualTo(1);
            assertThat(Ground.run(sandbox, "/bin/echo", "on").output()).isEqualTo("on\n");
            assertThat(sandbox.memoryUsed()).isLessThan(Limits.bytes("64m"));
        }
    }

    /// B14: a full place in memory is an error to who fills it and no want of memory, also when all
    /// of them are full.
    @ParameterizedTest
    @EnumSource
    void fillingWhatIsInMemoryEndsInNoSpaceLeft(RuntimeName runtime) throws Exception {
        try (Sandbox sandbox = ground(runtime).sandbox("fill", SMALL)) {
            Ground.Result result =
                    Ground.shell(
                            sandbox,
                            """
                            for d in /tmp /home/agent /dev/shm; do
                              dd if=/dev/zero of=$d/fill bs=64k 2>&1 | grep -o 'No space left on device'
                            done
                            """);

            assertThat(result.output()).isEqualTo("No space left on device\n".repeat(3));
            assertThat(sandbox.oomKills()).isZero();
        }
    }

    /// B6
    @ParameterizedTest
    @EnumSource(names = {"CRUN", "RUNC"})
    void everyPlaceInMemoryHasAnEndOfItsFiles(RuntimeName runtime) throws Exception {
        try (Sandbox sandbox = ground(runtime).sandbox("inodes", SMALL)) {
            Ground.Result result =
                    Ground.shell(
                            sandbox,
                            """
                            for d in /tmp /home/agent /dev/shm; do
                              cd $d; i=0
                              while [ $i -lt 5000 ] && : > f$i; do i=$((i+1)); done 2>&1 | grep -o 'No space'
                            done
                            for d in /tmp /home/agent /dev/shm /dev; do stat -f -c '%c' $d; done
                            """);

            assertThat(result.output().lines())
                    .startsWith("No space", "No space", "No space")
                    .hasSize(7)
                    .last()
                    .isEqualTo("512");
            assertThat(sandbox.oomKills()).isZero();
        }
    }

    /// The effective limits of an agent's process, whatever the worker's own are.
    @ParameterizedTest
    @EnumSource(names = {"CRUN", "RUNC"})
    void everyProcessHasItsLimits(RuntimeName runtime) throws Exception {
        Limits limits = SMALL.withOpenFiles(256).withFileBytes(8L << 20);
        try (Sandbox sandbox = ground(runtime).sandbox("limits", limits)) {
            Ground.Result result = Ground.run(sandbox, "/bin/cat", "/proc/self/limits");

            assertThat(result.output())
                    .containsPattern("Max open files +256 +256 ")
                    .containsPattern("Max file size +8388608 +8388608 ")
                    .containsPattern("Max core file size +[01] +[01] ")
                    .containsPattern("Max locked memory +8388608 +8388608 ")
                    .containsPattern("Max pending signals +4096 +4096 ")
                    .containsPattern("Max msgqueue size +0 +0 ")
                    .containsPattern("Max nice priority +0 +0 ")
                    .containsPattern("Max realtime priority +0 +0 ")
                    .containsPattern("Max stack size +8388608 +8388608 ");
        }
    }

    /// B7
    @ParameterizedTest
    @EnumSource
    void aSparseGiantFileIsRefused(RuntimeName runtime) throws Exception {
        Limits limits = SMALL.withFileBytes(8L << 20);
        try (Sandbox sandbox = ground(runtime).sandbox("sparse", limits)) {
            Ground.Result result =
                    Ground.shell(
                            sandbox,
                            """
                            cd /workspace
                            truncate -s 8M fits && wc -c < fits
                            trap '' XFSZ
                            truncate -s 1P giant 2>&1 | grep -o 'File too large'
                            fallocate -l 9M giant 2>&1 | grep -o 'File too large'
                            """);

            assertThat(result.output()).isEqualTo("8388608\nFile too large\nFile too large\n");
        }
    }

    /// B8
    @ParameterizedTest
    @EnumSource
    void aDescriptorHogEndsAtItsOwnLimit(RuntimeName runtime) throws Exception {
        try (Sandbox sandbox = ground(runtime).sandbox("hog", SMALL.withOpenFiles(256))) {
            Ground.Result result = Ground.run(sandbox, "/attack/exhaust", "descriptors");

            assertThat(result.output()).isEqualTo("descriptors 253 errno 24\n");
            assertThat(Ground.run(sandbox, "/bin/echo", "on").output()).isEqualTo("on\n");
        }
    }

    /// B4: two spinners have half a processor between them.
    @ParameterizedTest
    @EnumSource
    void spinnersShareWhatTheSandboxHas(RuntimeName runtime) throws Exception {
        try (Sandbox sandbox = ground(runtime).sandbox("spin", SMALL)) {
            long begin = System.nanoTime();
            Duration before = sandbox.cpuTime();
            Ground.shell(
                    sandbox,
                    "for i in 1 2; do timeout 1 bash -c 'while :; do :; done' & done; wait");
            double share =
                    (double) sandbox.cpuTime().minus(before).toNanos()
                            / (System.nanoTime() - begin);

            assertThat(share).isBetween(0.1, 0.75);
        }
    }

    /// B4: a process that the scheduler would prefer to all others. What gVisor's own scheduler
    /// says has no effect on the host's.
    @ParameterizedTest
    @EnumSource
    void nobodyGetsAheadOfOthers(RuntimeName runtime) throws Exception {
        Ground ground = ground(runtime);
        assertThat(Ground.onHost(ground.directory(), "realtime"))
                .as("control")
                .containsOnly(
                        entry("fifo", 0), entry("rr", 0), entry("other", 0), entry("nice", 0));
        try (Sandbox sandbox = ground.sandbox("ahead", SMALL)) {
            Map<String, Integer> inside =
                    Ground.run(sandbox, "/attack/attack", "realtime").numbers();

            if (runtime == RUNSC) {
                assertThat(inside).containsEntry("fifo", EINVAL).containsEntry("rr", EINVAL);
            } else {
                assertThat(inside)
                        .containsOnly(
                                entry("fifo", EPERM),
                                entry("rr", EPERM),
                                entry("other", 0),
                                entry("nice", EPERM));
            }
            for (int pid : sandbox.processes()) {
                String[] stat =
                        Ground.host("cat", "/proc/" + pid + "/stat")
                                .split("\\) ", 2)[1]
                                .split(" ", -1);
                assertThat(stat[16]).as("nice of %d", pid).isEqualTo("0");
                assertThat(stat[38]).as("policy of %d", pid).isEqualTo("0");
            }
        }
    }
}
