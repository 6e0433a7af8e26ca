package dev.glovebox.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class WritablePlacesTest {
    private static final List<Mount> MOUNTS =
            List.of(
                    new Mount(Path.of("/srv/a"), "/workspace", false),
                    new Mount(Path.of("/srv/b"), "/skills", true));

    @Test
    void aReadOnlyRootIsWrittenInItsScratchPlacesAndWritableMounts() {
        assertThat(WritablePlaces.of(SandboxSpec.of("a", MOUNTS)).paths())
                .containsExactly("/tmp", "/home/agent", "/dev/shm", "/workspace");
    }

    @Test
    void aWritableRootIsWrittenEverywhere() {
        SandboxSpec spec =
                new SandboxSpec(
                        "a", Template.DEV, MOUNTS, Optional.empty(), Limits.DEFAULT, Map.of());
        assertThat(WritablePlaces.of(spec).paths()).containsExactly("/tmp", "/", "/workspace");
    }

    @Test
    void whatTheKernelOffersIsExpectedExceptOfGvisor() {
        assertThat(WritablePlaces.expected(RuntimeName.CRUN, 7)).isEqualTo(7);
        assertThat(WritablePlaces.expected(RuntimeName.RUNC, 9)).isEqualTo(7);
        assertThat(WritablePlaces.expected(RuntimeName.RUNC, 2)).isEqualTo(2);
        assertThat(WritablePlaces.expected(RuntimeName.CRUN, 1)).as("cannot rename").isZero();
        assertThat(WritablePlaces.expected(RuntimeName.CRUN, 0)).isZero();
        assertThat(WritablePlaces.expected(RuntimeName.RUNSC, 7)).isZero();
    }
}
