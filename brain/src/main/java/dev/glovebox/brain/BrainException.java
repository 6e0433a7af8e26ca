package dev.glovebox.brain;

/// A fault of the operator's configuration or of this room. What a model or the network does is a
/// [dev.glovebox.protocol.brain.Brain.Next], never this.
public final class BrainException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /// @param message names the key and the way out, in lower case; never a secret
    public BrainException(String message) {
        super(message);
    }

    BrainException(String message, Throwable cause) {
        super(message, cause);
    }
}
