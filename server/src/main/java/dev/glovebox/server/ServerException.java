package dev.glovebox.server;

/// The control plane cannot start or go on, for a reason of its own or of its host.
public final class ServerException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /// @param message what could not be done, to what, and why
    public ServerException(String message, Throwable cause) {
        super(message, cause);
    }
}
