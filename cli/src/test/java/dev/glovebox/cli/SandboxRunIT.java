package dev.glovebox.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.cli.Glovebox.Result;
import dev.glovebox.cli.config.StateDirectories;
import dev.glovebox.workspace.Workspaces;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `glovebox sandbox run` as a person uses it. Needs root.
final class SandboxRunIT {
    @TempDir Path directory;

    @Test
    void inputOutputErrorAndExitCodePassThrough() {
        Result result = run("words\n", "--", "sh", "-c", "cat; id -u; echo to-error >&2; exit 3");
        assertThat(result.code()).isEqualTo(3);
        assertThat(result.out()).isEqualTo("words\n1000\n");
        assertThat(result.err()).isEqualTo("to-error\n");
    }

    @Test
    void aCommandBeyondItsTimeEndsWith124() {
        Result result = run("", "--timeout", "1s", "--", "sleep", "100");
        assertThat(result.code()).isEqualTo(124);
        assertThat(result.err()).contains("--timeout");
    }

    @Test
    void aCommandThatRunsOutOfMemoryIsToldSo() {
        Result result = run("", "--memory", "64m", "--", "tail", "/dev/zero");
        assertThat(result.code()).isEqualTo(137);
        assertThat(result.err()).contains("out of memory, the limit is 64 MiB");
    }

    @Test
    void aProgramThatIsNotThereIsNamed() {
        Result result = run("", "--", "/no/such/program");
        assertThat(result.code()).isEqualTo(127);
        assertThat(result.err()).contains("/no/such/program").doesNotContain("Exception");
    }

    @Test
    void aNamedWorkspaceIsKeptAndAnUnnamedOneIsNot() {
        String name = "it-" + ProcessHandle.current().pid();
        try {
            assertThat(run("", "--workspace", name, "--", "sh", "-c", "echo kept > f").code())
                    .isZero();
            assertThat(run("", "--workspace", name, "--", "cat", "f").out()).isEqualTo("kept\n");
            assertThat(run("", "--", "sh", "-c", "ls -A | wc -l").out().strip()).isEqualTo("0");
        } finally {
            Workspaces.open(new StateDirectories(Path.of(StateDirectories.DEFAULT)).workspaces())
                    .delete(name);
        }
    }

    @Test
    void aWorkspaceEndsAtItsSize() {
        Result result =
                run(
                        "",
                        "--disk",
                        "32m",
                        "--",
                        "sh",
                        "-c",
                        "head -c 31M /dev/zero > f && echo fits; dd if=/dev/zero of=g bs=1M");
        assertThat(result.code()).isEqualTo(1);
        assertThat(result.out()).contains("fits\n");
        assertThat(result.err()).contains("No space left on device");
    }

    @Test
    void withoutAPolicyNothingLeavesAndAWrongPolicyRunsNothing() throws IOException {
        assertThat(run("", "--", "curl", "-sS", "--max-time", "10", "https://example.com").code())
                .isNotZero();
        Path policy = Files.writeString(directory.resolve("p.yaml"), "rulez: []\n");
        Result refused = run("", "--policy", policy.toString(), "--", "echo", "ran");
        assertThat(refused.code()).isEqualTo(125);
        assertThat(refused.out()).isEmpty();
        assertThat(refused.err()).contains("rulez").contains(policy.toString());
    }

    @Test
    void beingToldToEndEndsTheSandboxFirst() {
        String seconds = Long.toString(1_000_000 + ProcessHandle.current().pid());
        try (Glovebox running =
                Glovebox.start(
                        directory,
                        Map.of(),
                        "sandbox",
                        "run",
                        "--",
                        "sh",
                        "-c",
                        "echo began; sleep " + seconds)) {
            running.awaitLine("began");
            running.terminate();
            Result result = running.end();
            assertThat(result.code()).isEqualTo(143);
            assertThat(ProcessHandle.allProcesses())
                    .noneMatch(p -> p.info().commandLine().orElse("").contains("sleep " + seconds));
        }
        assertThat(run("", "--", "echo", "next").err()).isEmpty();
    }

    @Test
    void badOptionsAreToldWithoutAStackTrace() {
        for (String[] arguments :
                new String[][] {
                    {"--memory", "lots", "--", "true"},
                    {"--memory", "1k", "--", "true"},
                    {"--cpus", "-1", "--", "true"},
                    {"--pids", "0", "--", "true"},
                    {"--timeout", "soon", "--", "true"},
                    {"--runtime", "magic", "--", "true"},
                    {"--template", "none", "--", "true"},
                    {"--workspace", "../up", "--", "true"},
                    {"--", ""},
                    {}
                }) {
            Result result = run("", arguments);
            assertThat(result.code()).as(String.join(" ", arguments)).isNotZero();
            assertThat(result.err())
                    .as(String.join(" ", arguments))
                    .isNotBlank()
                    .doesNotContain("\tat ");
        }
    }

    private Result run(String input, String... arguments) {
        String[] all = new String[arguments.length + 2];
        all[0] = "sandbox";
        all[1] = "run";
        System.arraycopy(arguments, 0, all, 2, arguments.length);
        return Glovebox.run(directory, input, all);
    }
}
