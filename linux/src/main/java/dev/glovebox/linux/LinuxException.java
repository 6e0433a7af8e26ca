package dev.glovebox.linux;

/// A system call that failed: which one, with which errno, on what.
///
/// Thrown for faults of this host or of the caller in this room only; what happens inside a sandbox
/// is a value there.
public final class LinuxException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String call;
    private final int errno;

    /// @param call name of the system call as in its man page, such as `unshare`
    /// @param errno the errno it left, such as 1 for `EPERM`
    /// @param subject the path, flag or name the call was about
    public LinuxException(String call, int errno, String subject) {
        super(call + " " + subject + ": " + Errno.name(errno));
        this.call = call;
        this.errno = errno;
    }

    /// Name of the system call as in its man page.
    public String call() {
        return call;
    }

    /// The errno the call left.
    public int errno() {
        return errno;
    }
}
