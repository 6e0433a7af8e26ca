package dev.glovebox.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ResourceFactsTest {
    @TempDir Path data;

    @Test
    void aFileSystemWithoutRoomForFilesIsAWarning() {
        assertThat(ResourceFacts.inodes("99999 16777216").level()).isEqualTo(HostFact.Level.WARN);
        assertThat(ResourceFacts.inodes("100000 16777216"))
                .isEqualTo(HostFact.ok("inodes", "100000 free"));
        assertThat(ResourceFacts.inodes("0 0").level()).as("btrfs").isEqualTo(HostFact.Level.OK);
        assertThat(ResourceFacts.inodes("").value()).isEqualTo("unknown");
    }

    @Test
    void aClockThatNobodyKeepsRightIsAWarning() {
        assertThat(ResourceFacts.clock(2026, Optional.of(true)).value()).isEqualTo("synchronised");
        assertThat(ResourceFacts.clock(2026, Optional.of(false)).level())
                .isEqualTo(HostFact.Level.WARN);
        assertThat(ResourceFacts.clock(2026, Optional.empty()).level())
                .isEqualTo(HostFact.Level.OK);
        assertThat(ResourceFacts.clock(1970, Optional.of(true)).value()).contains("1970");
    }

    /// Also for a directory that is not there yet.
    @Test
    void thisHostSaysHowManyFilesItHasRoomFor() {
        assertThat(new ResourceFacts(data.resolve("not/yet")).collect())
                .filteredOn(fact -> fact.name().equals("inodes"))
                .singleElement()
                .satisfies(fact -> assertThat(fact.value()).matches("\\d+ free|as many as .*"));
    }
}
