package dev.glovebox.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Needs root.
class IpcNamespaceIT {
    private static final long ID = 0x6fff_0000L;

    private final List<Process> started = new ArrayList<>();

    @AfterEach
    void endWhatWasStarted() {
        started.forEach(Process::destroyForcibly);
    }

    @Test
    void aNamespaceOfAUserNamespaceIsLimitedByWhoeverThisKernelLets() throws Exception {
        try (UserNamespace users = UserNamespace.create(ID, 65_536)) {
            long pid = sleeper("nsenter", "--user=" + users.path(), "unshare", "--ipc");

            IpcNamespace.limit(Set.of((int) pid), ID);

            assertThat(setting(pid, "msgmni")).isEqualTo("32");
            assertThat(setting(pid, "shm_rmid_forced")).isEqualTo("1");
        }
    }

    @Test
    void aNamespaceOfTheHostsRootIsLimitedByRoot() throws Exception {
        long pid = sleeper("unshare", "--ipc");

        IpcNamespace.limit(Set.of((int) ProcessHandle.current().pid(), (int) pid), ID);

        assertThat(setting(pid, "msgmni")).isEqualTo("32");
    }

    @Test
    void theNamespaceOfTheHostIsLeftAlone() throws Exception {
        Path setting = Path.of("/proc/sys/kernel/msgmni");
        String before = Files.readString(setting);

        assertThatThrownBy(
                        () -> IpcNamespace.limit(Set.of((int) ProcessHandle.current().pid()), ID))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("no");
        assertThat(Files.readString(setting)).isEqualTo(before);
    }

    /// The id of a process that has said that it runs.
    private long sleeper(String... into) throws Exception {
        List<String> command = new ArrayList<>(List.of(into));
        command.addAll(List.of("sh", "-c", "echo up; exec sleep 60"));
        Process process = new ProcessBuilder(command).start();
        started.add(process);
        assertThat(process.getInputStream().read()).isEqualTo('u');
        return process.pid();
    }

    private static String setting(long pid, String name) throws Exception {
        Process process =
                new ProcessBuilder(
                                "nsenter",
                                "--ipc",
                                "--target=" + pid,
                                "cat",
                                "/proc/sys/kernel/" + name)
                        .start();
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    }
}
