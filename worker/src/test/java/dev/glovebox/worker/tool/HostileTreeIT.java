package dev.glovebox.worker.tool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.sandbox.RuntimeName;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/// The tools in a tree an attacker has made: whatever is in it, every call ends, in time, within
/// the workspace, and without a word about the host. Needs root.
@ParameterizedClass
@EnumSource
@Timeout(240)
class HostileTreeIT {
    @TempDir static Path state;

    @Parameter RuntimeName runtime;
    static Sandboxed place;

    @BeforeParameterizedClassInvocation
    static void open(RuntimeName runtime) {
        place = new Sandboxed(state.resolve(runtime.program()), runtime);
    }

    @AfterParameterizedClassInvocation
    static void close() {
        place.close();
    }

    /// FIFOs, sockets, devices, sparse and endless files, loops, depth, and odd names.
    private static void plant() throws IOException {
        ToolResult planted =
                place.bash(
                        """
                        cd /workspace; rm -rf tree; mkdir -p tree/deep tree/dir; cd tree
                        echo needle > plain; mkfifo fifo; ln -s /dev/zero endless; ln -s /dev/tty tty
                        python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("sock")'
                        ln -s loop loop; ln -s .. dir/up; ln -s / root
                        ln -s /proc/1/environ environ; ln -s /proc/1/mem mem; ln -s /proc/self/root/etc/passwd passwd
                        ln -s /etc etc; ln -s /proc proc; touch -- -rf '--exclude=*' 'a
                        b' $'\\e[31mred' $'\\xff\\xfe'
                        python3 -c 'import os; os.makedirs("deep/" + "/".join(300 * "d")); open("deep/" + 300 * "d/" + "bottom", "w").write("needle")'
                        python3 -c 'print("x" * 50000000)' > oneline
                        mkdir /tmp/workspace-evil; echo needle > /tmp/workspace-evil/file
                        ls | wc -l
                        """);
        assertThat(planted.error()).as(planted.text()).isFalse();
        // longer than the agent may make one, so the host does, in the disk of the workspace
        try (RandomAccessFile sparse =
                new RandomAccessFile(place.directory.resolve("tree/sparse").toFile(), "rw")) {
            sparse.setLength(1L << 40);
        }
    }

    /// C6, C7, C28.
    @Test
    void everyToolEndsInATreeOfTraps() throws IOException {
        plant();
        ToolResult grep = place.call("grep", "{'pattern':'needle','path':'tree'}");
        assertThat(grep.text()).contains("plain").doesNotContain("workspace-evil", "root:");
        long start = System.nanoTime();
        assertThat(place.call("grep", "{'pattern':'(x+x+)+y','path':'tree'}").text())
                .as("no backtracking over a line of 50 MB")
                .isEqualTo("no matches");
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(60));
        ToolResult glob = place.call("glob", "{'pattern':'**/*','path':'tree'}");
        assertThat(glob.text()).contains("plain").doesNotContain("etc/passwd", "proc/1/");
        for (String name :
                List.of(
                        "fifo", "endless", "tty", "sock", "loop", "root", "environ", "mem", "etc",
                        "dir")) {
            ToolResult read = place.call("read", "{'file_path':'tree/" + name + "'}");
            assertThat(read.error()).as("%s: %s", name, read.text()).isTrue();
            ToolResult write =
                    place.call("write", "{'file_path':'tree/" + name + "','content':'x'}");
            assertThat(write.error()).as("%s: %s", name, write.text()).isTrue();
        }
        assertThat(place.bash("find /workspace/tree/sparse -printf %s").text())
                .as("control")
                .isEqualTo("1099511627776");
        for (String[] call :
                new String[][] {
                    {"read", "{'file_path':'tree/sparse'}"},
                    {"read", "{'file_path':'tree/sparse','view_range':[1,2]}"},
                    {"edit", "{'file_path':'tree/sparse','old_string':'q','new_string':'r'}"}
                }) {
            ToolResult result = place.call(call[0], call[1]);
            assertThat(result.error()).as(call[1]).isTrue();
            assertThat(result.text())
                    .as(call[1])
                    .contains("tree/sparse", "exceeds 262144-byte limit")
                    .hasSizeLessThan(300);
        }
        assertThat(place.call("read", "{'file_path':'tree/plain'}"))
                .as("control")
                .isEqualTo(ToolResult.ok("needle\n"));
    }

    /// C10: a directory whose name only begins like the workspace's.
    @Test
    void aNameThatBeginsLikeTheWorkspaceIsOutsideOfIt() {
        place.bash(
                "mkdir -p /tmp/workspace-evil; echo needle > /tmp/workspace-evil/file; ln -sfn /tmp/workspace-evil /workspace/evil");
        for (String path :
                List.of(
                        "/workspace-evil/file",
                        "/workspace/../workspace-evil/file",
                        "evil/file",
                        "/workspace/evil/file")) {
            ToolResult read = place.call("read", "{'file_path':'" + path + "'}");
            assertThat(read.error()).as(path).isTrue();
            assertThat(read.text()).contains("outside the session's working directory");
        }
    }

    /// C27: no answer of a tool, of success or failure, names where the workspace is on the host.
    @Test
    void noAnswerNamesAPathOfTheHost() throws Exception {
        plant();
        String host = state.toString();
        assertThat(Files.isDirectory(place.directory)).isTrue();
        List<String[]> calls =
                List.of(
                        new String[] {"read", "{'file_path':'none'}"},
                        new String[] {"read", "{'file_path':'" + place.directory + "/tree/plain'}"},
                        new String[] {"read", "{'file_path':'tree/fifo'}"},
                        new String[] {"write", "{'file_path':'tree','content':'x'}"},
                        new String[] {"write", "{'file_path':'/usr/x','content':'x'}"},
                        new String[] {
                            "edit", "{'file_path':'tree/plain','old_string':'q','new_string':'r'}"
                        },
                        new String[] {"glob", "{'pattern':'**/*','path':'tree'}"},
                        new String[] {"glob", "{'pattern':'*','path':'../..'}"},
                        new String[] {"grep", "{'pattern':'needle'}"},
                        new String[] {"grep", "{'pattern':'(','path':'tree'}"},
                        new String[] {
                            "bash", "{'command':'pwd -P; readlink -f .; df . | tail -1; env; set'}"
                        });
        for (String[] call : calls) {
            String asked = call[1].contains(host) ? place.directory + "/tree/plain" : "";
            String answer = place.call(call[0], call[1]).text().replace(asked, "");
            assertThat(answer).as(call[1]).isNotEmpty().doesNotContain(host, "glovebox-");
        }
    }
}
