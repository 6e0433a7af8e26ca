package dev.glovebox.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class AffinityTest {
    @Test
    void readsListsAsTheKernelWritesThem() {
        assertThat(Affinity.parse("0")).containsExactly(0);
        assertThat(Affinity.parse("0-3,8,64-65")).containsExactly(0, 1, 2, 3, 8, 64, 65);
    }

    @Test
    void aPinnedThreadRunsOnOneProcessorAndThisOneWhereItDid() {
        int last = Affinity.allowed().getLast();

        String pinned =
                KernelThread.call(
                        "pin",
                        () -> {
                            Affinity.pin(last);
                            return Files.readString(Path.of("/proc/thread-self/status"));
                        });

        assertThat(pinned).containsPattern("Cpus_allowed_list:\\s+" + last + "\n");
        assertThat(Affinity.allowed()).contains(last).hasSize(Affinity.allowed().size());
    }

    @Test
    void aProcessorThatIsNotThereIsAnError() {
        assertThatThrownBy(() ->
                        KernelThread.call(
                                "pin",
                                () -> {
                                    Affinity.pin(8_000);
                                    return "";
                                }))
                .isInstanceOf(LinuxException.class)
                .hasMessageContaining("processor 8000");
    }
}
