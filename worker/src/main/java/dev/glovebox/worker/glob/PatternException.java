package dev.glovebox.worker.glob;

/// A pattern of an agent that asks for too much; its message is for the agent. It has no stack
/// trace, because it is an answer and not a fault of ours.
public final class PatternException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    PatternException(String message) {
        super(message, null, false, false);
    }
}
