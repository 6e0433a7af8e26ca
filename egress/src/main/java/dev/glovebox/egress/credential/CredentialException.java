package dev.glovebox.egress.credential;

/// A secret cannot be had now. The message says why, for people, and never holds a secret.
public final class CredentialException extends Exception {
    private static final long serialVersionUID = 1L;

    /// @param message one line, lower case
    public CredentialException(String message) {
        super(message);
    }

    /// @param message one line, lower case
    /// @param cause for the stack trace; its own message is not repeated
    public CredentialException(String message, Throwable cause) {
        super(message, cause);
    }
}
