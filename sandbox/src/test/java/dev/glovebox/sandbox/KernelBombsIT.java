package dev.glovebox.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// B1, B3, B12, B22, B23: things of the kernel, made until it refuses or kills. Needs root.
class KernelBombsIT {
    private static final Limits SMALL = new Limits(Limits.bytes("64m"), 0.5, 64);
    @RegisterExtension static final Grounds GROUNDS = new Grounds();

    /// @param from least number of them that an honest program gets
    /// @param to most that the hog may get
    @ParameterizedTest
    @CsvSource({
        "CRUN, threads, 50, 63, 11",
        "RUNC, threads, 50, 63, 11",
        "CRUN, epoll, 1000, 16384, 24",
        "RUNC, epoll, 1000, 16384, 24",
        "CRUN, inotify, 16, 1024, 24",
        "RUNC, inotify, 16, 1024, 24",
        "CRUN, timers, 1000, 4096, 11",
        "RUNC, timers, 1000, 4096, 11",
        "CRUN, signals, 1000, 4096, 11",
        "RUNC, signals, 1000, 4096, 11",
        "CRUN, terminals, 16, 64, 28",
        "RUNC, terminals, 16, 64, 28",
        "CRUN, queues, 16, 32, 28",
        "RUNC, queues, 16, 32, 28",
        "CRUN, semaphores, 16, 128, 28",
        "RUNC, semaphores, 16, 128, 28",
        "CRUN, xattrs, 100, 100000, 28",
        "RUNC, xattrs, 100, 100000, 28"
    })
    void aHogOfAKindIsRefusedAtItsOwnLimit(
            RuntimeName runtime, String kind, int from, int to, int errno) throws Exception {
        try (Sandbox sandbox = GROUNDS.under(runtime).sandbox("hog", SMALL)) {
            Ground.Result result = Ground.run(sandbox, "/attack/exhaust", kind);

            String[] words = result.output().strip().split(" ", -1);
            assertThat(words).startsWith(kind).endsWith(Integer.toString(errno));
            assertThat(Integer.parseInt(words[1])).isBetween(from, to);
            goesOn(sandbox);
            assertThat(sandbox.oomKills()).isZero();
        }
    }

    /// What has no number of its own is memory of the sandbox, and is gone with its maker.
    @ParameterizedTest
    @CsvSource({
        "CRUN, pipes",
        "RUNC, pipes",
        "CRUN, sockets",
        "RUNC, sockets",
        "CRUN, memfds",
        "RUNC, memfds",
        "CRUN, segments",
        "RUNC, segments"
    })
    void aBombInTheKernelIsKilledForWantOfMemoryAndLeavesNone(RuntimeName runtime, String kind)
            throws Exception {
        try (Sandbox sandbox = GROUNDS.under(runtime).sandbox("bomb", SMALL)) {
            Ground.Result result = Ground.run(sandbox, "/attack/exhaust", kind);

            assertThat(result.exit().signal()).isEqualTo(9);
            assertThat(sandbox.oomKills()).isEqualTo(1);
            goesOn(sandbox);
            Ground.await("it is free again", () -> sandbox.memoryUsed() < SMALL.memoryBytes() / 4);
        }
    }

    /// Record locks and names that are not there are memory that the kernel takes back.
    @ParameterizedTest
    @CsvSource({
        "CRUN, locks, 3000",
        "RUNC, locks, 3000",
        "CRUN, names, 200000",
        "RUNC, names, 200000"
    })
    void whatTheKernelCanTakeBackNeedsNoKill(RuntimeName runtime, String kind, String count)
            throws Exception {
        try (Sandbox sandbox = GROUNDS.under(runtime).sandbox("names", SMALL)) {
            Ground.Result result = Ground.run(sandbox, "/attack/exhaust", kind, count);

            assertThat(result.output()).isEqualTo(kind + " " + count + " errno 0\n");
            assertThat(sandbox.memoryUsed()).isLessThanOrEqualTo(SMALL.memoryBytes());
            goesOn(sandbox);
        }
    }

    /// B12
    @ParameterizedTest
    @CsvSource({
        "CRUN, zombies, 100000",
        "RUNC, zombies, 100000",
        "CRUN, orphans, 100000",
        "RUNC, orphans, 100000"
    })
    void whoDiesByTheThousandLeavesNobody(RuntimeName runtime, String kind, String count)
            throws Exception {
        try (Sandbox sandbox = GROUNDS.under(runtime).sandbox("dead", SMALL)) {
            Ground.Result result = Ground.run(sandbox, "/attack/exhaust", kind, count);

            assertThat(result.output()).isEqualTo(kind + " " + count + " errno 0\n");
            goesOn(sandbox);
        }
    }

    /// B22: what crashes by the thousand, or dies of a call that is forbidden, is no flood in the
    /// log of the kernel.
    @ParameterizedTest
    @EnumSource(names = {"CRUN", "RUNC"})
    void whoCrashesByTheThousandDoesNotFloodTheLogOfTheKernel(RuntimeName runtime)
            throws Exception {
        try (Sandbox sandbox = GROUNDS.under(runtime).sandbox("crashes", SMALL)) {
            long before = crashesInTheLog();
            Ground.Result crashes = Ground.run(sandbox, "/attack/exhaust", "crashes", "20000");
            Ground.shell(
                    sandbox, "for i in $(seq 200); do /attack/attack entries; done > /dev/null");
            long after = crashesInTheLog();

            assertThat(crashes.output()).isEqualTo("crashes 20000 errno 0\n");
            assertThat(after).as("control: the log knows of crashes").isPositive();
            assertThat(after - before).isLessThan(500);
            goesOn(sandbox);
        }
    }

    private static long crashesInTheLog() throws Exception {
        return Ground.host("dmesg")
                .lines()
                .filter(line -> line.contains("exhaust[") || line.contains("comm=\"attack\""))
                .count();
    }

    /// The positive control of the segments: one that somebody has stays, one that nobody has goes.
    @ParameterizedTest
    @EnumSource(names = {"CRUN", "RUNC"})
    void sharedMemoryGoesWithItsLastProcess(RuntimeName runtime) throws Exception {
        try (Sandbox sandbox = GROUNDS.under(runtime).sandbox("shm", SMALL)) {
            Ground.Result result =
                    Ground.shell(
                            sandbox,
                            "cat /proc/sys/kernel/shm_rmid_forced /proc/sys/kernel/msgmni;"
                                    + " ipcmk -M 65536 >/dev/null; ipcs -m | grep -c 65536");

            assertThat(result.output()).isEqualTo("1\n32\n0\n");
        }
    }

    private static void goesOn(Sandbox sandbox) throws Exception {
        assertThat(Ground.run(sandbox, "/bin/echo", "on").output()).isEqualTo("on\n");
        Ground.await("only pid 1 is left", () -> sandbox.tasks() == 1);
    }
}
