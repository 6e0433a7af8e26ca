package dev.glovebox.sandbox.guest;

/// How a file is written.
///
/// @param createParents make missing directories above it, mode 0700
/// @param newFileMode mode of a file that did not exist, from 0 to 0777; an existing one keeps its
///   own
/// @param sync on disk (`fsync(2)`) before it takes its name
public record WriteOptions(boolean createParents, int newFileMode, boolean sync) {
    /// Parents made, new files 0600, synced.
    public static final WriteOptions DEFAULT = new WriteOptions(true, 0600, true);

    /// @throws IllegalArgumentException if the mode has other than permission bits
    public WriteOptions {
        if ((newFileMode & ~0777) != 0) {
            throw new IllegalArgumentException(
                    "file mode out of range: " + Integer.toOctalString(newFileMode));
        }
    }
}
