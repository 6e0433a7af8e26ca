package dev.glovebox.linux.mount;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class MountInfoTest {
    @Test
    void readsEveryFieldOfALine() {
        List<MountInfo> mounts =
                MountInfo.parse(
                        "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:2 - ext3 /dev/root"
                                + " rw,errors=continue\n");

        assertThat(mounts)
                .containsExactly(
                        new MountInfo(
                                36,
                                "/mnt1",
                                "/mnt2",
                                java.util.Set.of("rw", "noatime"),
                                "ext3",
                                "/dev/root",
                                java.util.Set.of("rw", "errors=continue")));
    }

    @Test
    void decodesBlanksInPaths() {
        MountInfo mount = MountInfo.parse("1 2 0:3 / /a\\040b\\134c rw - tmpfs none rw").getFirst();

        assertThat(mount.target()).isEqualTo("/a b\\c");
    }

    @Test
    void toleratesAnOptionGivenTwice() {
        assertThat(MountInfo.parse("1 2 0:3 / /a rw,rw - tmpfs none rw").getFirst().options())
                .containsExactly("rw");
    }

    @Test
    void theLaterMountIsOnTop() {
        List<MountInfo> mounts =
                MountInfo.parse("1 0 0:1 / /a rw - tmpfs x rw\n2 1 0:2 / /a ro - tmpfs y rw\n");

        assertThat(MountInfo.at(mounts, "/a")).get().extracting(MountInfo::id).isEqualTo(2);
        assertThat(MountInfo.at(mounts, "/b")).isEmpty();
    }

    @Test
    void namesALineItCannotRead() {
        assertThatThrownBy(() -> MountInfo.parse("not a mount"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("not a mount");
    }
}
