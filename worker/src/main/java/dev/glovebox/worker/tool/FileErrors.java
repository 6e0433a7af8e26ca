package dev.glovebox.worker.tool;

import dev.glovebox.sandbox.guest.GuestException;

/// The words for what the file system inside refuses: those of the official worker, so that an
/// agent reads the same on both.
final class FileErrors {
    private FileErrors() {}

    /// @param subject the file as the agent named it
    /// @throws GuestException the same, when it is the sandbox itself that failed
    static String text(GuestException e, String subject) {
        return subject
                + ": "
                + switch (e.code()) {
                    case "ECONNRESET", "ETIMEDOUT", "EINTR", "EPROTO" -> throw e;
                    case "ENOENT" -> "no such file or directory";
                    case "EACCES", "EPERM" -> "permission denied";
                    case "ENOTDIR" -> "not a directory";
                    case "EISDIR" -> "is a directory";
                    case "ELOOP" -> "too many levels of symbolic links";
                    case "ENAMETOOLONG" -> "file name too long";
                    case "ENOSPC", "EDQUOT" -> "no space left on device";
                    case "EMFILE", "ENFILE" -> "too many open files";
                    default -> "i/o error (" + e.code() + ")";
                };
    }
}
