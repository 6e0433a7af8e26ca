package dev.glovebox.worker.tool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.sandbox.Limits;
import dev.glovebox.sandbox.RuntimeName;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// B9, B10, B11: commands that say too much or never end, through the tool that agents use. Needs
/// root. Ten GiB are in [NeighbourIT].
@Timeout(180)
class FloodIT {
    @TempDir static Path state;
    static Sandboxed place;

    @BeforeAll
    static void open() {
        place =
                new Sandboxed(
                        state, RuntimeName.CRUN, Limits.DEFAULT.withMemory("256m").withPids(64));
    }

    @AfterAll
    static void close() {
        place.close();
    }

    @Test
    void aLineOfFourGibibytesIsCutAndCounted() {
        long before = Memory.live();

        ToolResult result = place.bash("yes x | tr -d '\\n' | head -c 4G");

        assertThat(result.text())
                .startsWith("[output truncated] the last 102")
                .contains(" of 4294967297 bytes follow\nxxx")
                .hasSizeLessThan(103_000);
        assertThat(Memory.live() - before).isLessThan(Memory.WITHIN);
    }

    @Test
    void aMillionWritesOfOneByteAreAllCounted() {
        long before = Memory.live();

        ToolResult result =
                place.bash("dd if=/dev/zero bs=1 count=1000000 2>/dev/null; echo; echo end");

        assertThat(result.text()).contains(" of 1000006 bytes follow\n").endsWith("\nend");
        assertThat(Memory.live() - before).isLessThan(Memory.WITHIN);
    }

    @Test
    void floodAfterFloodTakesNoMoreMemory() {
        String flood = "yes 0123456789012345678901234567890123456789 | head -c 500M";
        place.bash(flood);
        place.bash(flood);
        long live = Memory.live();
        long anonymous = Memory.anonymous();
        for (int i = 0; i < 4; i++) {
            place.bash(flood);
        }

        assertThat(Memory.live() - live).isLessThan(Memory.WITHIN);
        assertThat(Memory.anonymous() - anonymous).isLessThan(Memory.ANONYMOUS_WITHIN);
    }

    @Test
    void aCommandThatIgnoresTheSignalsDies() {
        ToolResult result =
                place.call(
                        "bash",
                        "{'command':'trap : TERM HUP INT; while :; do sleep 77; done','timeout_ms':300}");

        assertThat(result.text()).contains("timed out after 300ms");
        assertThat(place.bash("pgrep -fc 'sleep 7[7]'")).isEqualTo(ToolResult.error("0"));
    }

    @Test
    void aShellThatStopsItselfIsEndedAtItsTime() {
        ToolResult result = place.call("bash", "{'command':'kill -STOP $$','timeout_ms':300}");

        assertThat(result.text()).contains("timed out after 300ms");
        assertThat(place.bash("echo back")).isEqualTo(ToolResult.ok("back"));
    }

    @Test
    void aDaemonThatHoldsTheOutputHoldsNoCall() {
        long start = System.nanoTime();
        for (String daemon :
                List.of(
                        "setsid sleep 88 & echo hi",
                        "(setsid sleep 88 &) ; echo hi",
                        "nohup sh -c 'sleep 88 & exec sleep 88' & echo hi")) {
            assertThat(place.bash(daemon).text()).contains("hi");
        }
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(60));
        assertThat(place.bash("pkill -f 'sleep 8[8]'; echo over").text()).contains("over");
    }
}
