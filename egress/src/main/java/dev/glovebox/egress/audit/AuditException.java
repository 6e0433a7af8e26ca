package dev.glovebox.egress.audit;

/// A record could not be kept, or the records that are there are not as they were written.
public final class AuditException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public AuditException(String message) {
        super(message);
    }

    public AuditException(String message, Throwable cause) {
        super(message + ": " + cause.getMessage(), cause);
    }
}
