package dev.glovebox.cli.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.LocalDate;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class ProgramFactsTest {
    private static final LocalDate TODAY = LocalDate.parse("2026-11-28");

    @Test
    void gvisorIsOptionalAndOldByItsDay() {
        HostFact absent = ProgramFacts.gvisor(Optional.empty(), TODAY);
        assertThat(absent.level()).isEqualTo(HostFact.Level.OK);
        assertThat(absent.advice()).contains("profile nested needs it");

        HostFact old = gvisor("runsc version 0.0~20221219.0");
        assertThat(old.level()).isEqualTo(HostFact.Level.WARN);
        assertThat(old.value()).isEqualTo("of 2022-12-19");

        assertThat(gvisor("runsc version release-20260901.0").level()).isEqualTo(HostFact.Level.OK);
        assertThat(gvisor("runsc version 20991399"))
                .isEqualTo(HostFact.ok("runsc", "runsc version 20991399"));
    }

    private static HostFact gvisor(String line) {
        return ProgramFacts.gvisor(Optional.of(line), TODAY);
    }
}
