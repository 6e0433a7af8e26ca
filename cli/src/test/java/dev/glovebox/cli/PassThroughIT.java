package dev.glovebox.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What `glovebox sandbox run` does where its own input or output is broken. Needs root.
final class PassThroughIT {
    @TempDir Path directory;

    @Test
    void aReaderThatLeavesEndsTheCommandAsAPipeDoes() throws Exception {
        assertThat(shell("run yes | head -1; echo ${PIPESTATUS[0]}")).isEqualTo("y\n141\n");
        assertThat(shell("run sh -c 'yes >&2' 2>&1 | head -1; echo ${PIPESTATUS[0]}"))
                .isEqualTo("y\n141\n");
    }

    /// Also one that ignores the signal, or has written all before it could be told.
    @Test
    void whatNobodyReadIsNoSuccess() throws Exception {
        assertThat(
                        shell(
                                "run sh -c \"trap '' PIPE; seq 1000000 2>/dev/null; true\" | head -1;"
                                        + " echo ${PIPESTATUS[0]}"))
                .isEqualTo("1\n141\n");
    }

    @Test
    void aFullDiskUnderTheOutputIsToldAndNoSuccess() throws Exception {
        assertThat(shell("run echo on > on; echo $?; cat on")).as("control").isEqualTo("0\non\n");
        assertThat(shell("run echo lost > /dev/full; echo $?"))
                .contains("glovebox: cannot write standard output: No space left on device")
                .endsWith("74\n");
        assertThat(shell("run sh -c 'echo lost; exit 3' > /dev/full; echo $?")).endsWith("3\n");
    }

    @Test
    void inputThatCannotBeReadIsToldAndEnds() throws Exception {
        assertThat(shell("echo in | run cat; echo $?")).as("control").isEqualTo("in\n0\n");
        assertThat(shell("run cat < /; echo $?"))
                .contains("glovebox: cannot read standard input")
                .endsWith("0\n");
    }

    /// A command that never reads its input is not told of it.
    @Test
    void aCommandThatClosesItsInputIsNoFault() throws Exception {
        assertThat(shell("yes | run sh -c 'exec 0<&-; echo done'; echo ${PIPESTATUS[1]}"))
                .isEqualTo("done\n0\n");
    }

    private String shell(String script) throws IOException, InterruptedException {
        Path output = Files.createTempFile(directory, "out", ".txt");
        String run =
                "run() { '"
                        + Path.of(System.getProperty("java.home"), "bin", "java")
                        + "' --enable-native-access=ALL-UNNAMED -XX:+UseSerialGC -cp '"
                        + System.getProperty("java.class.path")
                        + "' "
                        + Main.class.getName()
                        + " sandbox run -- \"$@\"; }; ";
        Process bash =
                new ProcessBuilder("bash", "-c", run + script)
                        .directory(directory.toFile())
                        .redirectInput(Path.of("/dev/null").toFile())
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile())
                        .start();
        try {
            assertThat(bash.waitFor(120, TimeUnit.SECONDS)).isTrue();
        } finally {
            bash.destroyForcibly();
        }
        return Files.readString(output);
    }
}
