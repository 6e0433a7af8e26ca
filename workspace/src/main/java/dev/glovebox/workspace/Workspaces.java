package dev.glovebox.workspace;

import dev.glovebox.linux.Trees;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.regex.Pattern;

/// The workspaces of one worker: a directory each, below a root that only the worker can enter.
///
/// A workspace stays when its sandbox ends, so that a session finds its files again with its next
/// work item.
public final class Workspaces {
    /// Uid and gid of the agent inside a sandbox, and so of its files on disk.
    public static final int AGENT_ID = 1000;

    private static final Pattern ID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,127}");

    private final Path root;

    private Workspaces(Path root) {
        this.root = root;
    }

    /// Uses a directory for workspaces, making it with mode 0700 where it is missing.
    ///
    /// @throws WorkspaceException when it cannot be made or entered
    public static Workspaces open(Path root) {
        Path directory = root.toAbsolutePath().normalize();
        try {
            Files.createDirectories(directory);
            Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
        } catch (IOException e) {
            throw new WorkspaceException("cannot use " + directory + " for workspaces", e);
        }
        return new Workspaces(directory);
    }

    /// The workspace of this id, new and empty if there was none.
    ///
    /// @param id letters, digits, `_`, `.`, `-`, not beginning with a dot, at most 128
    /// @throws WorkspaceException for another id, or when the disk refuses
    public Workspace open(String id) {
        Path directory = path(id);
        try {
            if (Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
                return new Workspace(id, directory);
            }
            // made under another name first, so that a workspace that is there belongs to the agent
            Path fresh = Files.createTempDirectory(root, ".new-");
            Files.setAttribute(fresh, "unix:uid", AGENT_ID);
            Files.setAttribute(fresh, "unix:gid", AGENT_ID);
            Files.setPosixFilePermissions(fresh, PosixFilePermissions.fromString("rwxr-xr-x"));
            Files.move(fresh, directory, StandardCopyOption.ATOMIC_MOVE);
            return new Workspace(id, directory);
        } catch (IOException e) {
            throw new WorkspaceException("cannot make workspace " + id + " in " + root, e);
        }
    }

    /// Removes the workspace of this id and all that is in it; nothing happens if there is none.
    ///
    /// @throws WorkspaceException when something of it is left
    public void delete(String id) {
        Path directory = path(id);
        if (!Files.exists(directory, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        try {
            Path doomed = Files.createTempDirectory(root, ".deleting-");
            Files.move(directory, doomed.resolve("tree"), StandardCopyOption.ATOMIC_MOVE);
            Trees.remove(doomed);
        } catch (IOException | UncheckedIOException e) {
            throw new WorkspaceException("cannot remove workspace " + id, e);
        }
    }

    private Path path(String id) {
        if (!ID.matcher(id).matches()) {
            throw new WorkspaceException(
                    "'"
                            + id
                            + "' is no name for a workspace: letters, digits, _ . - and at most 128");
        }
        return root.resolve(id);
    }
}
