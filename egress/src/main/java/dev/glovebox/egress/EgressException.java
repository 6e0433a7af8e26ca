package dev.glovebox.egress;

/// A door that could not be opened: this host lacks something, or the caller asked for the
/// impossible. What a sandbox tries and is refused is never an exception, it is a [Denial].
public final class EgressException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public EgressException(String message) {
        super(message);
    }

    public EgressException(String message, Throwable cause) {
        super(message + ": " + cause.getMessage(), cause);
    }
}
