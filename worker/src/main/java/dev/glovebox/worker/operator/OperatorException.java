package dev.glovebox.worker.operator;

/// Something an operator asked for cannot be done; the message is for that person, and says what to
/// do instead.
public final class OperatorException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /// With the words for the operator.
    public OperatorException(String message) {
        super(message);
    }

    /// With the words for the operator, and what was behind it.
    public OperatorException(String message, Throwable cause) {
        super(message, cause);
    }
}
