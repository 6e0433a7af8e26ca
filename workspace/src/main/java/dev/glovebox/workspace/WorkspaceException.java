package dev.glovebox.workspace;

/// A workspace that could not be made, or removed; the message names it and the reason.
public final class WorkspaceException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    WorkspaceException(String message) {
        super(message);
    }

    WorkspaceException(String message, Throwable cause) {
        super(message, cause);
    }
}
