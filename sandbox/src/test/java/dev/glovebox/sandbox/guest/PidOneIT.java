package dev.glovebox.sandbox.guest;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// glovebox-init as what it is in a sandbox: PID 1 of its own pid namespace, with an agent of the
/// same uid beside it. Needs root for the namespace.
class PidOneIT {
    private LiveInit init;
    private Guest guest;

    @BeforeEach
    void start() {
        init =
                LiveInit.start(
                        InitBinary.STATIC,
                        "unshare",
                        "--pid",
                        "--fork",
                        "--mount-proc",
                        "--kill-child");
        guest = init.guest();
    }

    @AfterEach
    void stop() {
        guest.close();
        init.close();
    }

    @Test
    void itIsPidOneWithoutPrivileges() {
        assertThat(guest.hello())
                .containsEntry("pid", "1")
                .containsEntry("uid", "1000")
                .containsEntry("CapEff", "0000000000000000")
                .containsEntry("NoNewPrivs", "1");
    }

    @Test
    void anAgentCannotLookIntoInit() throws Exception {
        assertThat(
                        init.run(
                                guest,
                                "for f in environ maps fd/0 cwd/ root/ exe; do ls /proc/$$/$f; done"))
                .as("control: its own are open")
                .doesNotContain("denied");
        for (String file : List.of("environ", "maps", "mem", "fd/0", "cwd/", "root/", "exe")) {
            assertThat(
                            init.run(
                                    guest,
                                    "head -c 1 /proc/1/" + file + " 2>&1; ls -l /proc/1/" + file))
                    .as(file)
                    .contains("ermission denied")
                    .doesNotContain("socket:");
        }
        assertThat(init.run(guest, "ls -l /proc/*/fd 2>/dev/null")).doesNotContain("socket:");
    }

    @Test
    void anAgentCannotKillOrStopInit() throws Exception {
        GuestProcess sleeper = guest.start(init.request("sleep", "1000"));
        init.run(guest, "for s in $(seq 64); do kill -$s 1; done 2>/dev/null");
        assertThat(guest.stat("/", true).kind()).isEqualTo(FileKind.DIRECTORY);
        assertThat(sleeper.exit()).isEmpty();

        init.run(guest, "kill -9 -1");
        assertThat(sleeper.waitFor(LiveInit.PATIENCE).signal())
                .as("control: others die")
                .isEqualTo(9);
        assertThat(guest.stat("/", true).kind()).isEqualTo(FileKind.DIRECTORY);
    }

    @Test
    void tenThousandOrphansLeaveNoZombie() throws Exception {
        init.run(
                guest,
                "for i in $(seq 10); do (for j in $(seq 1000); do (true &) ; done) & done; wait");
        LiveInit.await(
                "all reaped",
                () ->
                        guest.list("/proc", 5000).stream()
                                        .filter(entry ->
                                                entry.name().chars().allMatch(Character::isDigit))
                                        .count()
                                == 1);
    }

    @Test
    void everyDaemonDiesWithTheConnection() throws Exception {
        init.run(guest, "for i in $(seq 20); do setsid setsid sleep 1000 >/dev/null 2>&1 & done");
        LiveInit.await("pid 1 and its daemons", () -> init.process().descendants().count() >= 21);
        List<ProcessHandle> all = init.process().descendants().toList();

        guest.close();

        assertThat(init.process().waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(all).noneMatch(ProcessHandle::isAlive);
    }
}
