package dev.glovebox.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.linux.mount.MountInfo;
import dev.glovebox.sandbox.SandboxException.Band;
import dev.glovebox.sandbox.guest.ProcessRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A sandbox that was started for nobody, and becomes a session's. Needs root.
class BindIT {
    @RegisterExtension static final Grounds GROUNDS = new Grounds();
    private static final Limits MORE = Limits.DEFAULT.withMemory("3g").withCpus(0.5).withPids(77);

    @ParameterizedTest
    @EnumSource(names = {"CRUN", "RUNC"})
    void getsItsDirectoryLimitsAndEnvironmentWithoutARestart(RuntimeName runtime) throws Exception {
        Ground ground = GROUNDS.under(runtime);
        Path workspace = ground.workspace("s");
        String hostMounts = Files.readString(Path.of("/proc/self/mountinfo"));
        try (Sandbox sandbox = unbound(ground)) {
            int pid = sandbox.init();
            assertThat(MountInfo.at(sandbox.attestation().mounts(), "/workspace")).isEmpty();

            sandbox.bind(
                    new Binding(
                            List.of(new Mount(workspace, "/workspace", false)),
                            MORE,
                            Map.of("SESSION", "mine", "LANG", "C")));

            assertThat(sandbox.init()).isEqualTo(pid);
            assertThat(MountInfo.at(sandbox.attestation().mounts(), "/workspace").orElseThrow())
                    .satisfies(m -> assertThat(m.options()).contains("rw", "nosuid", "nodev"));
            assertThat(Ground.shell(sandbox, "echo $SESSION $LANG; id -u > /workspace/id").output())
                    .isEqualTo("mine C\n");
            assertThat(workspace.resolve("id")).hasContent("1000");
            assertThat(Files.getAttribute(workspace.resolve("id"), "unix:uid")).isEqualTo(1000);
            assertThat(sandbox.group().memoryLimit()).isEqualTo(MORE.memoryBytes());
            assertThat(sandbox.group().tasksLimit()).isEqualTo(77);
            assertThat(sandbox.attestation().state().get("landlock")).isNotEmpty();
            assertThat(Files.readString(Path.of("/proc/self/mountinfo"))).isEqualTo(hostMounts);
        }
    }

    /// A root that can be written is written by nobody before the binding.
    @Test
    void aRootThatCanBeWrittenIsBoundTheSame() throws Exception {
        Ground ground = GROUNDS.under(RuntimeName.CRUN);
        Path workspace = ground.workspace("dev");
        SandboxSpec spec =
                new SandboxSpec(
                        "warm",
                        Template.DEV,
                        List.of(),
                        Optional.empty(),
                        Limits.DEFAULT,
                        Map.of());
        try (Sandbox sandbox = ground.sandboxes().createUnbound(spec)) {
            sandbox.bind(
                    new Binding(
                            List.of(new Mount(workspace, "/workspace", false)),
                            Limits.DEFAULT,
                            Map.of()));

            Ground.Result result =
                    Ground.shell(sandbox, "echo a > /workspace/a && echo b > /opt/b && cat /opt/b");
            assertThat(result.output()).isEqualTo("b\n");
            assertThat(workspace.resolve("a")).hasContent("a");
        }
    }

    @Test
    void aDirectoryToReadCannotBeWritten() throws Exception {
        Ground ground = GROUNDS.under(RuntimeName.CRUN);
        Files.writeString(ground.workspace("ro").resolve("file"), "hello");
        try (Sandbox sandbox = unbound(ground)) {
            sandbox.bind(
                    new Binding(
                            List.of(new Mount(ground.workspace("ro"), "/workspace", true)),
                            Limits.DEFAULT,
                            Map.of()));

            assertThat(Ground.shell(sandbox, "cat /workspace/file").output()).isEqualTo("hello");
            assertThat(Ground.shell(sandbox, "echo x > /workspace/file").exit().code()).isNotZero();
            assertThat(ground.workspace("ro").resolve("file")).hasContent("hello");
        }
    }

    @Test
    void belongsToOneSessionOnly() throws Exception {
        Ground ground = GROUNDS.under(RuntimeName.CRUN);
        Binding binding = new Binding(List.of(), Limits.DEFAULT, Map.of());
        try (Sandbox warm = unbound(ground);
                Sandbox cold = ground.sandbox("cold", Limits.DEFAULT)) {
            warm.bind(binding);

            refused(warm, binding, "belongs to a session already");
            refused(cold, binding, "belongs to a session already");
            assertThat(Ground.run(warm, "/bin/echo", "on").output()).isEqualTo("on\n");
        }
    }

    @Test
    void lessMemoryThanItStartedWithIsRefused() throws Exception {
        try (Sandbox sandbox = unbound(GROUNDS.under(RuntimeName.CRUN))) {
            Binding less = new Binding(List.of(), Limits.DEFAULT.withMemory("64m"), Map.of());

            refused(sandbox, less, "cannot become these");
        }
    }

    /// What runs before the binding would be outside of what the binding puts on.
    @Test
    void oneInWhichSomethingRanBeforeIsOfNoUse() throws Exception {
        try (Sandbox sandbox = unbound(GROUNDS.under(RuntimeName.CRUN))) {
            sandbox.guest()
                    .start(ProcessRequest.of(List.of("/bin/true"), sandbox.environment(), "/"));

            assertThatThrownBy(() -> sandbox.bind(new Binding(List.of(), Limits.DEFAULT, Map.of())))
                    .isInstanceOf(SandboxException.class);
            Ground.await("it has ended", () -> sandbox.state() instanceof SandboxState.Ended);
        }
    }

    @Test
    void aDirectoryThatIsNotThereIsToldAndNothingStays() throws Exception {
        try (Sandbox sandbox = unbound(GROUNDS.under(RuntimeName.CRUN))) {
            Mount mount = new Mount(Path.of("/nonexistent"), "/workspace", false);

            assertThatThrownBy(() ->
                            sandbox.bind(new Binding(List.of(mount), Limits.DEFAULT, Map.of())))
                    .isInstanceOf(SandboxException.class)
                    .hasMessageContaining("/nonexistent");
        }
    }

    private static void refused(Sandbox sandbox, Binding binding, String why) {
        assertThatThrownBy(() -> sandbox.bind(binding))
                .isInstanceOfSatisfying(
                        SandboxException.class, e -> assertThat(e.band()).isEqualTo(Band.CALLER))
                .hasMessageContaining(why);
    }

    private static Sandbox unbound(Ground ground) {
        return ground.sandboxes().createUnbound(SandboxSpec.of("warm", List.of()));
    }
}
