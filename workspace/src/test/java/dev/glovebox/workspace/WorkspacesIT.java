package dev.glovebox.workspace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Needs root: owners are changed.
final class WorkspacesIT {
    @TempDir Path directory;

    @Test
    void aWorkspaceBelongsToTheAgentAndOnlyRootCanReachIt() throws IOException {
        Path made = Workspaces.open(directory.resolve("w")).open("sesn_1").directory();
        assertThat(Files.getAttribute(made, "unix:uid")).isEqualTo(1000);
        assertThat(Files.getAttribute(made, "unix:gid")).isEqualTo(1000);
        assertThat(Files.getPosixFilePermissions(directory.resolve("w"))).hasSize(3);
    }

    @Test
    void aWorkspaceIsFoundAgainWithItsFiles() throws IOException {
        Path first = Workspaces.open(directory).open("sesn_1").directory();
        Files.writeString(first.resolve("a.txt"), "kept");
        Path again = Workspaces.open(directory).open("sesn_1").directory();
        assertThat(again.resolve("a.txt")).hasContent("kept");
    }

    @Test
    void deletingAWorkspaceDoesNotFollowALinkPlantedInIt() throws IOException {
        Path outside = Files.createDirectory(directory.resolve("outside"));
        Files.writeString(outside.resolve("canary"), "alive");
        Workspaces workspaces = Workspaces.open(directory.resolve("w"));
        Path planted = workspaces.open("sesn_1").directory();
        Files.createSymbolicLink(planted.resolve("link"), outside);
        Files.writeString(planted.resolve("own"), "goes");

        workspaces.delete("sesn_1");

        assertThat(outside.resolve("canary")).hasContent("alive");
        try (Stream<Path> left = Files.list(directory.resolve("w"))) {
            assertThat(left).isEmpty();
        }
        workspaces.delete("sesn_1");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".", "..", "../up", "a/b", ".hidden", "a\0b", "a\nb", "über"})
    void aNameThatCouldLeadElsewhereIsRefused(String id) {
        assertThatThrownBy(() -> Workspaces.open(directory).open(id))
                .isInstanceOf(WorkspaceException.class)
                .hasMessageContaining("is no name for a workspace");
    }

    @Test
    void anIdOfMoreThan128LettersIsRefused() {
        assertThatThrownBy(() -> Workspaces.open(directory).open("a".repeat(129)))
                .isInstanceOf(WorkspaceException.class);
    }
}
