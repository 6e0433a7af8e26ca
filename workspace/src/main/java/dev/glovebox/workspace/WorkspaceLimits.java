package dev.glovebox.workspace;

/// How much a workspace may hold; the kernel refuses more with `ENOSPC`.
///
/// @param bytes of file content, 16 MiB to 8 TiB; directories and lists of extents count
/// @param files most files, directories and links together, 1,000 to 1,000,000,000
public record WorkspaceLimits(long bytes, long files) {
    private static final long MEBI = 1L << 20;

    /// 10 GiB, 1,000,000 files.
    public static final WorkspaceLimits DEFAULT = new WorkspaceLimits(10_240 * MEBI, 1_000_000);

    /// @throws WorkspaceException for a value out of its range
    public WorkspaceLimits {
        if (bytes < 16 * MEBI || bytes > 8 * MEBI * MEBI) {
            throw new WorkspaceException(
                    "disk of a workspace must be between 16m and 8t: " + bytes);
        }
        if (files < 1000 || files > 1_000_000_000) {
            throw new WorkspaceException(
                    "files of a workspace must be between 1000 and 1000000000: " + files);
        }
    }

    /// The same with another number of bytes.
    public WorkspaceLimits withBytes(long most) {
        return new WorkspaceLimits(most, files);
    }

    /// The same with another number of files.
    public WorkspaceLimits withFiles(long most) {
        return new WorkspaceLimits(bytes, most);
    }
}
