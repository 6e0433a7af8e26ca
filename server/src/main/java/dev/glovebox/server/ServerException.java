package dev.glovebox.server;

/// The control plane cannot start or go on, for a reason of its own or of its host.
public final class ServerException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    ServerException(String message, Throwable cause) {
        super(message, cause);
    }
}
