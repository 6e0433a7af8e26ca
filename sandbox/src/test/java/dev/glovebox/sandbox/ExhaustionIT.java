package dev.glovebox.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Attempts to use up the machine, under each runtime. Needs root.
class ExhaustionIT {
    private static final Limits SMALL = new Limits(Limits.bytes("64m"), 0.5, 64);
    private static final Grounds GROUNDS = new Grounds();

    private static Ground ground(RuntimeName runtime) throws Exception {
        return GROUNDS.under(runtime);
    }

    @AfterAll
    static void close() throws Exception {
        GROUNDS.close();
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

    /// B14: a full `/tmp` is an error to who fills it and no want of memory.
    @ParameterizedTest
    @EnumSource(names = {"CRUN", "RUNC"})
    void fillingWhatIsInMemoryEndsInNoSpaceLeft(RuntimeName runtime) throws Exception {
        try (Sandbox sandbox = ground(runtime).sandbox("fill", SMALL)) {
            Ground.Result result =
                    Ground.shell(
                            sandbox,
                            """
                            for d in /tmp /home/agent /dev/shm; do
                              dd if=/dev/zero of=$d/fill bs=64k 2>&1 | grep -o 'No space left on device'
                            done
                            cd /tmp; rm fill
                            i=0; while [ $i -lt 5000 ] && : > f$i; do i=$((i+1)); done 2>&1 | grep -o 'No space'
                            """);

            assertThat(result.output().lines())
                    .containsExactly(
                            "No space left on device",
                            "No space left on device",
                            "No space left on device",
                            "No space");
            assertThat(sandbox.oomKills()).isZero();
        }
    }

    /// B4: two spinners have half a processor between them.
    @ParameterizedTest
    @EnumSource(names = {"CRUN", "RUNC"})
    void spinnersShareWhatTheSandboxHas(RuntimeName runtime) throws Exception {
        try (Sandbox sandbox = ground(runtime).sandbox("spin", SMALL)) {
            Ground.Result result =
                    Ground.shell(
                            sandbox,
                            "for i in 1 2; do timeout 1 bash -c 'while :; do :; done' & done; wait;"
                                    + " chrt -f 1 true 2>/dev/null && echo realtime");

            assertThat(result.output()).isEmpty();
            assertThat(result.exit().usage().user().plus(result.exit().usage().system()).toMillis())
                    .isLessThan(900);
        }
    }
}
