package dev.glovebox.worker.tool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.sandbox.Limits;
import dev.glovebox.sandbox.RuntimeName;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// C28: the tools over 100,000 files and a line of 2 GiB, in a sandbox with an eighth of that in
/// memory: each call has an answer, within its own limits, and the next one too. Needs root.
@Timeout(300)
class LargeTreeIT {
    private static final Duration BOUND = Duration.ofSeconds(65);

    @TempDir static Path state;
    static Sandboxed place;

    @BeforeAll
    static void plant() {
        place = new Sandboxed(state, RuntimeName.CRUN, Limits.DEFAULT.withMemory("256m"));
        ToolResult planted =
                place.bash(
                        """
                        python3 - <<'END'
                        import os
                        for d in range(100):
                            os.makedirs(f'many/d{d}')
                            for f in range(1000): os.mknod(f'many/d{d}/f{f}')
                        open('many/d99/f999', 'w').write('needle')
                        os.mkdir('long')
                        open('long/short', 'w').write('needle')
                        with open('long/line', 'wb') as line:
                            for _ in range(2048): line.write(b'x' * 1048576)
                        END
                        find many -type f | wc -l; wc -c < long/line
                        """);
        assertThat(planted).as("control").isEqualTo(ToolResult.ok("100000\n2147483648"));
    }

    @AfterAll
    static void close() {
        place.close();
    }

    @Test
    void aHundredThousandFilesAreSearchedAndListedAsFarAsALimitGoes() {
        assertThat(within("grep", "{'pattern':'needle','path':'many'}"))
                .isEqualTo(ToolResult.ok("/workspace/many/d99/f999:1:needle\n"));
        assertThat(within("grep", "{'pattern':'absent','path':'many'}"))
                .isEqualTo(ToolResult.ok("no matches"));
        ToolResult all = within("glob", "{'pattern':'many/**/*'}");
        assertThat(all.error()).isFalse();
        assertThat(all.text().lines()).hasSize(200).allMatch(l -> l.startsWith("/workspace/many/"));
    }

    @Test
    void aLineOfTwoGibibytesIsReadByNobodyAsAWhole() {
        long before = Memory.live();
        for (String call :
                new String[] {
                    "{'file_path':'long/line'}", "{'file_path':'long/line','view_range':[1,3]}"
                }) {
            ToolResult read = within("read", call);
            assertThat(read.error()).isTrue();
            assertThat(read.text()).contains("exceeds 262144-byte limit").hasSizeLessThan(300);
        }
        assertThat(within("read", "{'file_path':'long/line','view_range':[2,3]}"))
                .as("there is no second line")
                .isEqualTo(ToolResult.ok("(no output)"));
        assertThat(
                        within(
                                        "edit",
                                        "{'file_path':'long/line','old_string':'q','new_string':'r'}")
                                .text())
                .contains("exceeds 262144-byte limit");
        assertThat(within("bash", "{'command':'cat /workspace/long/line'}").text())
                .startsWith("[output truncated] the last 102")
                .contains(" of 2147483649 bytes follow")
                .hasSizeLessThan(103_000);
        assertThat(Memory.live() - before).isLessThan(Memory.WITHIN);
    }

    /// ripgrep wants all of a line in memory, which there is not: it is killed, and the answer says
    /// so. What of the files before it has been found is lost with it.
    @Test
    void aLineThatIsLargerThanTheMemoryEndsTheSearchAndNoMore() {
        for (String pattern : new String[] {"needle", "(x+x+)+y"}) {
            assertThat(within("grep", "{'pattern':'" + pattern + "','path':'long'}"))
                    .isEqualTo(ToolResult.error("grep: rg failed: killed by signal 9"));
        }
        assertThat(within("grep", "{'pattern':'needle','path':'long/short'}"))
                .isEqualTo(ToolResult.ok("1:needle\n"));
    }

    private static ToolResult within(String tool, String input) {
        long start = System.nanoTime();
        ToolResult result = place.call(tool, input);
        assertThat(Duration.ofNanos(System.nanoTime() - start)).as(input).isLessThan(BOUND);
        return result;
    }
}
