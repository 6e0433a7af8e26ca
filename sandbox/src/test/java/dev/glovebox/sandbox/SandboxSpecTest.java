package dev.glovebox.sandbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SandboxSpecTest {
    private static final Path SOURCE = Path.of("/var");

    @ParameterizedTest
    @ValueSource(strings = {"", "..", "a/b", "-x", "a b", "a\n", "ä"})
    void refusesNamesThatCouldBePathsOrOptions(String name) {
        assertThatThrownBy(() -> SandboxSpec.of(name, List.of()))
                .isInstanceOf(SandboxException.class)
                .hasMessageContaining("not a name");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "workspace",
                "/",
                "/a/../etc",
                "/a/",
                "//a",
                "/proc/x",
                "/dev",
                "/sys/fs/cgroup",
                "/usr/bin",
                "/.glovebox/init"
            })
    void refusesTargetsThatAreNotPlainOrNotFree(String target) {
        assertThatThrownBy(() -> new Mount(SOURCE, target, true))
                .isInstanceOf(SandboxException.class)
                .hasMessageContaining("target");
    }

    @Test
    void refusesARelativeSource() {
        assertThatThrownBy(() -> new Mount(Path.of("x"), "/workspace", true))
                .hasMessageContaining("source must be absolute");
    }

    @Test
    void refusesAMountInsideAnotherWhereALinkCouldBeInTheWay() {
        List<Mount> mounts =
                List.of(
                        new Mount(SOURCE, "/workspace", false),
                        new Mount(SOURCE, "/workspace/skills", true));

        assertThatThrownBy(() -> SandboxSpec.of("s", mounts))
                .hasMessageContaining("/workspace/skills");
        assertThatThrownBy(() -> SandboxSpec.of("s", List.of(mounts.getFirst(), mounts.getFirst())))
                .hasMessageContaining("/workspace");
    }

    @Test
    void namesThatOnlyBeginAlikeAreNotInside() {
        List<Mount> mounts =
                List.of(new Mount(SOURCE, "/work", false), new Mount(SOURCE, "/workspace", false));

        assertThat(SandboxSpec.of("s", mounts).mounts()).hasSize(2);
    }

    @Test
    void itsTextShowsNoValueOfTheEnvironment() {
        SandboxSpec spec =
                new SandboxSpec(
                        "s",
                        Template.BASE,
                        List.of(),
                        Optional.empty(),
                        Limits.DEFAULT,
                        Map.of("TOKEN", "hunter2"));

        assertThat(spec.toString()).contains("TOKEN").doesNotContain("hunter2");
    }

    @Test
    void refusesAnUnknownTemplateAndRuntime() {
        assertThatThrownBy(() -> Template.builtIn("alpine"))
                .hasMessageContaining("there are: base, dev");
        assertThatThrownBy(() -> RuntimeName.parse("docker")).hasMessageContaining("docker");
        assertThat(RuntimeName.parse("crun")).isEqualTo(RuntimeName.CRUN);
    }
}
