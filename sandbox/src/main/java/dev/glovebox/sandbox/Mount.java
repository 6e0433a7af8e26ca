package dev.glovebox.sandbox;

import dev.glovebox.sandbox.SandboxException.Band;
import java.nio.file.Path;
import java.util.List;

/// A directory or file of the host that is shown inside.
///
/// Owners on disk are ids of the sandbox: what is uid 1000 on disk belongs to the agent, and what
/// the agent writes is uid 1000 on disk, wherever the sandbox's ids are on the host. The file
/// system must support id-mapped mounts (ext4, xfs, btrfs since Linux 5.12-5.15, tmpfs since 6.3).
///
/// @param source absolute path of a directory or a regular file
/// @param target absolute path inside
/// @param readOnly whether writes fail with `EROFS`
public record Mount(Path source, String target, boolean readOnly) {
    private static final List<String> TAKEN =
            List.of("/proc", "/dev", "/sys", "/usr", "/tmp", "/.glovebox");

    /// @throws SandboxException [Band#CALLER] for a relative source, or a target that is not plain
    ///   or is the sandbox's own
    public Mount {
        if (!source.isAbsolute()) {
            throw bad("mount source must be absolute: " + source);
        }
        Path path = Path.of(target);
        boolean plain = path.isAbsolute() && path.normalize().toString().equals(target);
        if (!plain || path.getNameCount() == 0) {
            throw bad("mount target must be a plain absolute path: " + target);
        }
        for (String taken : TAKEN) {
            if (path.startsWith(taken)) {
                throw bad("mount target " + target + " lies in " + taken);
            }
        }
    }

    boolean inside(Mount other) {
        return Path.of(target).startsWith(other.target());
    }

    private static SandboxException bad(String message) {
        return new SandboxException(Band.CALLER, message);
    }
}
