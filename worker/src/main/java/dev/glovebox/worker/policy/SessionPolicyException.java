package dev.glovebox.worker.policy;

/// A session cannot have a sandbox, because of what it wishes for its network. The message is for
/// the session's agent and tells nothing of the host.
public final class SessionPolicyException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    SessionPolicyException(String message) {
        super(message);
    }
}
