package dev.glovebox.worker;

/// The worker cannot go on: its configuration is wrong, or the control plane refuses its key or its
/// environment for good.
public final class WorkerException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /// A fault with its way out.
    ///
    /// @param message names the key, environment or value and the way out
    public WorkerException(String message) {
        super(message);
    }
}
