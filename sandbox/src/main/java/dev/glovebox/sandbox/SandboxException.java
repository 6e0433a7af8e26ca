package dev.glovebox.sandbox;

/// A sandbox that could not be had, or is not what it must be. Nothing is left behind of it.
public final class SandboxException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /// Who is to blame, and so who can do something about it.
    public enum Band {
        /// The request: a bad name, an impossible mount.
        CALLER,
        /// The template: its image cannot be had, or its command fails or has not run yet.
        TEMPLATE,
        /// Too many sandboxes at once; later it may succeed.
        CAPACITY,
        /// This machine: no runtime, no user namespaces, no control groups, a mount refused.
        HOST,
        /// The sandbox runs but is not as promised; it has been ended.
        MISMATCH
    }

    private final Band band;

    public SandboxException(Band band, String message) {
        super(message);
        this.band = band;
    }

    public SandboxException(Band band, String message, Throwable cause) {
        super(message, cause);
        this.band = band;
    }

    /// Who is to blame.
    public Band band() {
        return band;
    }
}
