package dev.glovebox.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.linux.cgroup.Cgroup;
import dev.glovebox.linux.net.NetworkNamespace;
import dev.glovebox.sandbox.SandboxException.Band;
import dev.glovebox.sandbox.guest.ProcessRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// Beginning and end of sandboxes, also the rough ones. Needs root.
class LifeCycleIT {
    private Ground ground;

    @BeforeEach
    void open() throws IOException {
        ground = Ground.open(RuntimeName.CRUN);
    }

    /// For the tests that go over all runtimes.
    private void under(RuntimeName runtime) throws IOException {
        if (runtime != RuntimeName.CRUN) {
            ground.close();
            ground = Ground.open(runtime);
        }
    }

    @AfterEach
    void close() throws IOException {
        ground.close();
    }

    @ParameterizedTest
    @EnumSource
    void aClosedSandboxLeavesNothing(RuntimeName runtime) throws Exception {
        under(runtime);
        String mounts = Files.readString(Path.of("/proc/self/mountinfo"));
        Sandbox sandbox = ground.sandbox("s", Limits.DEFAULT);
        sandbox.guest()
                .start(ProcessRequest.of(List.of("sleep", "1000"), sandbox.environment(), "/"));
        Cgroup group = sandbox.group();
        Set<Integer> pids = sandbox.processes();
        assertThat(pids).hasSizeGreaterThanOrEqualTo(2);

        sandbox.close();
        sandbox.close();

        assertThat(group.exists()).isFalse();
        Ground.await("all have ended", () -> pids.stream().noneMatch(Ground::lives));
        assertThat(Files.readString(Path.of("/proc/self/mountinfo"))).isEqualTo(mounts);
        assertThat(leftovers()).isEmpty();
    }

    /// Its control group is in use by something that no signal ends; once that is gone, the next
    /// call ends what the first could not.
    @Test
    void aSandboxThatCouldNotBeEndedIsEndedByAFurtherCall() throws Exception {
        Sandbox sandbox = ground.sandbox("stuck", Limits.DEFAULT);
        String path = sandbox.group().path();
        Path legacy = Path.of("/sys/fs/cgroup/pids" + path);
        Path group = Files.isDirectory(legacy) ? legacy : Path.of("/sys/fs/cgroup" + path);
        command("mount", "-t", "tmpfs", "none", group.toString());
        try {
            assertThatThrownBy(sandbox::close)
                    .isInstanceOf(SandboxException.class)
                    .hasMessageContaining("stuck cannot be ended");
            assertThatThrownBy(() -> ground.sandbox("stuck", Limits.DEFAULT))
                    .as("its name is not given out again")
                    .hasMessageContaining("is running");
        } finally {
            command("umount", group.toString());
        }

        sandbox.close();

        assertThat(sandbox.group().exists()).isFalse();
        ground.sandbox("stuck", Limits.DEFAULT).close();
    }

    private static void command(String... words) throws Exception {
        assertThat(new ProcessBuilder(words).inheritIO().start().waitFor()).isZero();
    }

    @ParameterizedTest
    @EnumSource
    void aSandboxWhoseWorkerLetsGoEndsByItself(RuntimeName runtime) throws Exception {
        under(runtime);
        try (Sandbox sandbox = ground.sandbox("s", Limits.DEFAULT)) {
            sandbox.guest()
                    .start(
                            ProcessRequest.of(
                                    List.of("bash", "-c", "trap '' TERM HUP; sleep 1000 & wait"),
                                    sandbox.environment(),
                                    "/"));

            sandbox.guest().close();

            Ground.await("nobody is left", () -> sandbox.processes().isEmpty());
        }
    }

    @ParameterizedTest
    @EnumSource
    void aStartThatFailsLeavesNothingAndTheNextSucceeds(RuntimeName runtime) throws Exception {
        under(runtime);
        List<Mount> mounts = List.of(new Mount(Path.of("/nonexistent"), "/workspace", false));

        assertThatThrownBy(() -> ground.sandboxes().create(SandboxSpec.of("s", mounts)))
                .isInstanceOf(SandboxException.class)
                .hasMessageContaining("/nonexistent");

        assertThat(leftovers()).isEmpty();
        ground.sandbox("s", Limits.DEFAULT).close();
    }

    @ParameterizedTest
    @EnumSource
    void twoOfOneNameCannotLive(RuntimeName runtime) throws Exception {
        under(runtime);
        try (Sandbox sandbox = ground.sandbox("s", Limits.DEFAULT)) {
            assertThatThrownBy(() -> ground.sandbox(sandbox.name(), Limits.DEFAULT))
                    .isInstanceOfSatisfying(
                            SandboxException.class,
                            e -> assertThat(e.band()).isEqualTo(Band.CALLER));
            assertThat(Ground.run(sandbox, "/bin/echo", "on").output()).isEqualTo("on\n");
        }
    }

    @ParameterizedTest
    @EnumSource
    void sandboxesThatLiveAtOnceAreStrangersOnTheHost(RuntimeName runtime) throws Exception {
        under(runtime);
        int count = 8;
        List<Callable<Sandbox>> starts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            String name = "s" + i;
            starts.add(() -> ground.sandbox(name, Limits.DEFAULT));
        }
        List<Sandbox> sandboxes = new ArrayList<>();
        try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
            for (Future<Sandbox> start : executor.invokeAll(starts)) {
                sandboxes.add(start.get());
            }
        }
        Set<Object> owners = new TreeSet<>();
        for (Sandbox sandbox : sandboxes) {
            int pid = sandbox.processes().iterator().next();
            String map = Files.readString(Path.of("/proc/" + pid + "/uid_map")).strip();
            owners.add(map);
            assertThat(map).matches("0 +1[89]\\d{8} +65536");
        }

        assertThat(owners).hasSize(count);

        sandboxes.forEach(Sandbox::close);
        assertThat(leftovers()).isEmpty();
    }

    @Test
    void joinsTheNetworkNamespaceItIsGiven() throws Exception {
        Path pin = ground.directory().resolve("door");
        try (NetworkNamespace namespace = NetworkNamespace.create(pin)) {
            SandboxSpec spec =
                    new SandboxSpec(
                            "s",
                            Template.BASE,
                            List.of(),
                            Optional.of(namespace.path()),
                            Limits.DEFAULT,
                            Map.of());
            try (Sandbox sandbox = ground.sandboxes().create(spec)) {
                assertThat(sandbox.attestation().state().get("ns/net"))
                        .isEqualTo("net:[" + Files.getAttribute(pin, "unix:ino") + "]");
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void aPathThatIsNoNetworkNamespaceIsRefused(RuntimeName runtime) throws Exception {
        under(runtime);
        SandboxSpec spec =
                new SandboxSpec(
                        "s",
                        Template.BASE,
                        List.of(),
                        Optional.of(ground.directory().resolve("state/lock")),
                        Limits.DEFAULT,
                        Map.of());

        assertThatThrownBy(() -> ground.sandboxes().create(spec))
                .isInstanceOf(SandboxException.class);
        assertThat(leftovers()).isEmpty();
    }

    @Test
    void aSecondWorkerCannotHaveTheSameStateDirectory() {
        SandboxConfig config = SandboxConfig.in(ground.directory().resolve("state"));

        assertThatThrownBy(() -> Sandboxes.open(config))
                .isInstanceOf(SandboxException.class)
                .hasMessageContaining("another worker");
    }

    @Test
    void aRuntimeThatDoesNotStartInTimeIsExplained() {
        SandboxConfig config =
                new SandboxConfig(
                        ground.directory().resolve("other"),
                        Optional.of(RuntimeName.RUNSC),
                        Duration.ofMillis(1));

        assertThatThrownBy(() -> Sandboxes.open(config))
                .isInstanceOfSatisfying(
                        SandboxException.class, e -> assertThat(e.band()).isEqualTo(Band.HOST))
                .hasMessageContaining("RUNSC");
    }

    @Test
    void withoutAChoiceTheFasterRuntimeIsTaken() {
        SandboxConfig config = SandboxConfig.in(ground.directory().resolve("other"));

        try (Sandboxes sandboxes = Sandboxes.open(config)) {
            assertThat(sandboxes.runtime()).isEqualTo(RuntimeName.CRUN);
            assertThat(sandboxes.probes())
                    .containsExactly(new RuntimeProbe(RuntimeName.CRUN, true, ""));
        }
    }

    /// A worker killed outright: its sandboxes end with their connections, and the next worker
    /// removes what they leave.
    @Test
    void whatAKilledWorkerLeavesIsEndedAndRemoved() throws Exception {
        Path state = ground.directory().resolve("killed");
        Path output = ground.directory().resolve("killed.log");
        Process worker =
                new ProcessBuilder(
                                ProcessHandle.current().info().command().orElseThrow(),
                                "--enable-native-access=ALL-UNNAMED",
                                "-cp",
                                System.getProperty("java.class.path"),
                                DoomedWorker.class.getName(),
                                state.toString())
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile())
                        .start();
        Ground.await("the worker is ready: " + output, () -> says(output, "ready"));
        Set<Integer> pids = new TreeSet<>();
        for (String line : Files.readAllLines(output)) {
            if (line.startsWith("pid ")) {
                pids.add(Integer.valueOf(line.substring(4)));
            }
        }
        assertThat(pids).hasSize(2).allMatch(Ground::lives);

        worker.destroyForcibly().waitFor();

        Ground.await("all have ended", () -> pids.stream().noneMatch(Ground::lives));
        assertThat(state.resolve("live/bundles/doomed")).exists();
        try (Sandboxes next = Sandboxes.open(SandboxConfig.in(state))) {
            assertThat(state.resolve("live/bundles/doomed")).doesNotExist();
            assertThat(state.resolve("live/runtime/doomed")).doesNotExist();
            next.create(SandboxSpec.of("doomed", List.of())).close();
        }
    }

    /// A host without user namespaces, and one without control groups.
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "-Urm | echo 0 > /proc/sys/user/max_user_namespaces | no user namespace",
                "-m | umount -R -l /sys/fs/cgroup | no control groups for memory, cpu, pids"
            })
    void aHostThatLacksWhatIsNeededIsToldSo(String unshare, String cripple, String message)
            throws Exception {
        Path output = ground.directory().resolve("crippled.log");
        String java =
                "exec %s --enable-native-access=ALL-UNNAMED -cp %s %s %s"
                        .replaceFirst("%s", ProcessHandle.current().info().command().orElseThrow())
                        .replaceFirst("%s", System.getProperty("java.class.path"))
                        .replaceFirst("%s", DoomedWorker.class.getName())
                        .replaceFirst("%s", ground.directory().resolve("crippled").toString());
        Process worker =
                new ProcessBuilder("unshare", unshare, "sh", "-c", cripple + "; " + java)
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile())
                        .start();

        assertThat(worker.waitFor(60, TimeUnit.SECONDS)).isTrue();

        assertThat(worker.exitValue()).isNotZero();
        assertThat(Files.readString(output)).contains(message);
    }

    private static boolean says(Path output, String word) {
        try {
            return Files.exists(output) && Files.readString(output).contains(word);
        } catch (IOException e) {
            return false;
        }
    }

    private List<String> leftovers() throws IOException {
        List<String> found = new ArrayList<>();
        for (String child : List.of("bundles", "runtime")) {
            try (var entries =
                    Files.newDirectoryStream(
                            ground.directory().resolve("state/live").resolve(child))) {
                entries.forEach(e -> found.add(e.toString()));
            }
        }
        try (var sockets =
                Files.newDirectoryStream(ground.directory().resolve("state/live"), "*.sock")) {
            sockets.forEach(e -> found.add(e.toString()));
        }
        return found;
    }
}
