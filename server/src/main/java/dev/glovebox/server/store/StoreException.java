package dev.glovebox.server.store;

/// The store cannot do its work: the disk is full, the file is damaged, the queue is too long, the
/// store is closed.
public final class StoreException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final boolean overloaded;

    StoreException(String message, Throwable cause) {
        super(message, cause);
        this.overloaded = false;
    }

    StoreException(String message, boolean overloaded) {
        super(message);
        this.overloaded = overloaded;
    }

    /// Whether trying again later may help.
    public boolean overloaded() {
        return overloaded;
    }
}
