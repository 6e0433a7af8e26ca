package dev.glovebox.sandbox.launch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.linux.ProcessStat;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// Who descends from a process since a moment, by who started whom and when.
class OffspringTest {
    private static final int INIT = 100;
    private static final int SHELL = 110;
    private static final int OPERATOR = 120;
    private static final long BEFORE = 10;
    private static final long SINCE = 20;
    private static final long AFTER = 21;

    private static final ProcessStat[] ALWAYS = {
        new ProcessStat(INIT, 1, BEFORE),
        new ProcessStat(SHELL, INIT, BEFORE),
        new ProcessStat(OPERATOR, INIT, AFTER)
    };

    @Test
    void childrenOrphansAndTheirChildrenAreOffspring() {
        assertThat(
                        offspring(
                                new ProcessStat(200, SHELL, SINCE),
                                new ProcessStat(201, 200, AFTER),
                                new ProcessStat(202, INIT, AFTER),
                                new ProcessStat(203, 202, AFTER)))
                .containsExactly(SHELL, 200, 201, 202, 203);
    }

    @Test
    void whatWasThereBeforeAndWhatItStartsIsSpared() {
        assertThat(
                        offspring(
                                new ProcessStat(200, INIT, BEFORE),
                                new ProcessStat(201, 200, AFTER),
                                new ProcessStat(202, 201, AFTER)))
                .containsExactly(SHELL);
    }

    /// What an earlier command left in the background; the signal to the shell's group ends it.
    @Test
    void anOlderChildOfTheRootIsSpared_andANewOneIsNot() {
        assertThat(
                        offspring(
                                new ProcessStat(200, SHELL, BEFORE),
                                new ProcessStat(201, 200, AFTER),
                                new ProcessStat(202, SHELL, AFTER)))
                .containsExactly(SHELL, 202);
    }

    @Test
    void whatAnOperatorStartsIsSpared() {
        assertThat(
                        offspring(
                                new ProcessStat(200, OPERATOR, AFTER),
                                new ProcessStat(201, 200, AFTER)))
                .containsExactly(SHELL);
    }

    /// All within one tick of the clock.
    @Test
    void whatStartedAtThatVeryMomentIsOffspring_butNotInit() {
        List<ProcessStat> all =
                List.of(
                        new ProcessStat(INIT, 1, SINCE),
                        new ProcessStat(SHELL, INIT, SINCE),
                        new ProcessStat(200, INIT, SINCE));

        assertThat(new Offspring(SHELL, Set.of(), SINCE).of(all)).containsExactly(SHELL, 200);
    }

    @Test
    void withoutTheRootItsOrphansAreOffspring() {
        List<ProcessStat> all =
                List.of(
                        new ProcessStat(INIT, 1, BEFORE),
                        new ProcessStat(200, INIT, AFTER),
                        new ProcessStat(201, INIT, BEFORE));

        assertThat(new Offspring(0, Set.of(), SINCE).of(all)).containsExactly(200);
    }

    private static Set<Integer> offspring(ProcessStat... more) {
        ProcessStat[] all = Arrays.copyOf(ALWAYS, ALWAYS.length + more.length);
        System.arraycopy(more, 0, all, ALWAYS.length, more.length);
        return new Offspring(SHELL, Set.of(OPERATOR), SINCE).of(List.of(all));
    }
}
