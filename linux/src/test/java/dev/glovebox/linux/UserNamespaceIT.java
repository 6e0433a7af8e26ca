package dev.glovebox.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

final class UserNamespaceIT {
    private static final long FIRST = 2_000_000_000L;
    private static final long SIZE = 65_536;

    @Test
    void mapsUsersAndGroupsAsAsked() throws Exception {
        try (UserNamespace ids =
                UserNamespace.create(
                        List.of(
                                new UserNamespace.Range(0, FIRST, 10),
                                new UserNamespace.Range(1000, FIRST + 1000, 1)))) {
            for (String map : List.of("uid_map", "gid_map")) {
                assertThat(seenFrom(ids, map))
                        .containsExactly("0 " + FIRST + " 10", "1000 " + (FIRST + 1000) + " 1");
            }
        }
    }

    @Test
    void manyMadeAtOnceAreAllDifferentAndLeaveNoProcess() throws Exception {
        List<Callable<UserNamespace>> makers = new ArrayList<>();
        for (int i = 0; i < 64; i++) {
            long first = FIRST + i * SIZE;
            makers.add(() -> UserNamespace.create(first, SIZE));
        }
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<UserNamespace> made = new ArrayList<>();
            for (Future<UserNamespace> each : threads.invokeAll(makers)) {
                made.add(each.get());
            }
            for (int i = 0; i < made.size(); i++) {
                assertThat(seenFrom(made.get(i), "uid_map"))
                        .containsExactly("0 " + (FIRST + i * SIZE) + " " + SIZE);
            }
            made.forEach(UserNamespace::close);
        }
        assertThat(ProcessHandle.current().children()).isEmpty();
    }

    @Test
    void refusesAMapTheKernelRefusesAndLeavesNoProcess() {
        assertThatThrownBy(() -> UserNamespace.create(0xffff_fff0L, SIZE))
                .hasMessageContaining("cannot map ids");
        assertThat(ProcessHandle.current().children()).isEmpty();
    }

    /// The map as a process in the namespace sees it.
    private static List<String> seenFrom(UserNamespace ids, String map)
            throws IOException, InterruptedException {
        Process nsenter =
                new ProcessBuilder(
                                "nsenter",
                                "--preserve-credentials",
                                "--user=" + ids.path(),
                                "cat",
                                "/proc/self/" + map)
                        .redirectErrorStream(true)
                        .start();
        String seen = new String(nsenter.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        nsenter.waitFor();
        return seen.lines().map(line -> line.strip().replaceAll(" +", " ")).toList();
    }
}
