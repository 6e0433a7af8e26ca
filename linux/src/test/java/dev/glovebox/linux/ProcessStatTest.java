package dev.glovebox.linux;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.junit.jupiter.api.Test;

class ProcessStatTest {
    @Test
    void aNameThatLooksLikeTheRestIsANameOnly() {
        String text =
                "30041 (a) R 1 2) R 30038 30041 11189 0 -1 4194304 100 0 0 0 0 0 0 0 20 0 1 0 633780"
                        + " 3133440 408 18446744073709551615";

        assertThat(ProcessStat.parse(text)).isEqualTo(new ProcessStat(30041, 30038, 633780));
    }

    @Test
    void aChildIsOfItsParentAndNoOlderThanTheMomentItWasStarted() throws Exception {
        long before = ProcessStat.now();
        Process child = new ProcessBuilder("sleep", "1000").start();
        try {
            ProcessStat stat = ProcessStat.of((int) child.pid()).orElseThrow();

            assertThat(stat.parent()).isEqualTo((int) ProcessHandle.current().pid());
            assertThat(stat.started()).isBetween(before, ProcessStat.now());
            assertThat(stat.pidInside()).isEqualTo(stat.pid());
            assertThat(ProcessStat.of(stat.parent()).orElseThrow().started())
                    .isLessThanOrEqualTo(before);
        } finally {
            child.destroyForcibly().waitFor();
        }
        assertThat(ProcessStat.of((int) child.pid())).isEqualTo(Optional.empty());
    }
}
