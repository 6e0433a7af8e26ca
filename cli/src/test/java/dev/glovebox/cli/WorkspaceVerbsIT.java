package dev.glovebox.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.cli.Glovebox.Result;
import dev.glovebox.workspace.Workspace;
import dev.glovebox.workspace.Workspaces;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `glovebox workspace list|delete` as a person uses them. Needs root.
final class WorkspaceVerbsIT {
    @TempDir Path directory;

    @Test
    void delete_refusesAnOpenOneAndAsks() throws Exception {
        Path data = directory.resolve("data");
        Workspaces workspaces = Workspaces.open(data.resolve("workspaces"));
        Workspace workspace = workspaces.open("sesn_1");
        Files.writeString(workspace.directory().resolve("f"), "content");

        Result open = run(data, "delete", "sesn_1", "--yes");
        assertThat(open.code()).isEqualTo(1);
        assertThat(open.err()).contains("workspace sesn_1 is open");
        assertThat(run(data, "list").out()).contains("sesn_1", "open");

        workspace.close();
        Result asked = run(data, "delete", "sesn_1");
        assertThat(asked.code()).isEqualTo(1);
        assertThat(asked.err()).contains("here is no terminal: add --yes");
        assertThat(run(data, "delete", "sesn_", "--yes").err()).contains("no workspace sesn_");
        assertThat(run(data, "list").out()).contains("sesn_1", "closed");

        assertThat(run(data, "delete", "sesn_1", "--yes").out())
                .isEqualTo("deleted workspace sesn_1\n");
        assertThat(run(data, "list").out()).doesNotContain("sesn_1");
        assertThat(workspaces.known()).isEmpty();
    }

    @Test
    void aDirectoryThatIsNoWorkersIsNotMadeOne() {
        Path typo = directory.resolve("typo");
        for (String[] verb :
                new String[][] {
                    {"list"}, {"delete", "sesn_1", "--yes"}, {"copy", "sesn_1:f", "./f"}
                }) {
            Result result = run(typo, verb);

            assertThat(result.code()).isEqualTo(1);
            assertThat(result.err()).contains("no workspaces in " + typo.resolve("workspaces"));
        }
        assertThat(typo).doesNotExist();
    }

    private Result run(Path data, String... words) {
        List<String> all = new ArrayList<>(List.of("workspace", words[0], "--data", "" + data));
        all.addAll(List.of(words).subList(1, words.length));
        return Glovebox.run(directory, "", all.toArray(String[]::new));
    }
}
